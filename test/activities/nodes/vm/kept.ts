import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hardwareHere } from '../../../../activities/nodes/vm/accelerator.ts';
import { closeDebug, openDebug } from '../../../../activities/nodes/vm/debug.ts';
import { expireSnapshots } from '../../../../activities/nodes/vm/expire.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { keptIn, machinesIn, type Places, placesIn } from '../../../../activities/nodes/vm/records.ts';
import { must, run } from '../../../../activities/process/run.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { image, preparedForTests } from './prepared.ts';

// By hand, and no part of `npm test`: an image is made and booted first, which takes minutes without KVM.
// .tools/node --test test/activities/nodes/vm/kept.ts

const platform = { ...builtInPlatforms[0], buildImage: image, testImage: image } as Platform;
const need = { platform, kind: 'system', network: 'none' } as const;
const signal = AbortSignal.timeout(900_000);
const limits = { age: 20 * 86_400_000, bytes: 4 * 1024 ** 3 };
const steps = ['first', 'second', 'third'].map((name, index) => ({ number: index + 1, name, save: true }));
const nothing = { age: 0, bytes: 0 };

/** A place of its own for what is kept, over the snapshot that all tests share. */
async function world(t: TestContext): Promise<Places> {
  const shared = await preparedForTests();
  const root = await mkdtemp(join(tmpdir(), 'sluice-kept-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await symlink(shared.snapshots, join(root, 'snapshots'));
  return placesIn(root);
}

test('machines are kept as they were, and a person finds them so, again and again', async (t) => {
  const places = await world(t);
  const lender = { places, installation: 'test', ways: [] };
  const provider = createVmProvider({ ...lender, ways: async () => [], limits });
  const build = `kept-${process.pid}`;
  t.after(() => provider.sweep(build));
  const lease = await provider.lend({ build });
  const machines = await Promise.all(['server', 'client'].map((name) => lease.machine({ ...need, name })));
  await lease.seclude(signal);
  for (const machine of machines) {
    const left = await machine.exec(['sh', '-c', 'hostname > /root/left; sleep 3000 & echo $! > /run/pid'], { signal });
    assert.equal(left.code, 0, left.output);
  }
  const begin = performance.now();
  const kept = await provider.keep?.(lease);
  t.diagnostic(`kept in ${Math.round(performance.now() - begin)} ms`);
  assert.deepEqual(kept?.nodes, ['server', 'client']);
  await provider.release(lease);
  assert.deepEqual(await readdir(places.machines), []);
  assert.deepEqual(await provider.list(), []);

  const wish = { build, holder: 'debug/x', hardware: await hardwareHere(), signal };
  t.after(() => closeDebug(lender, build));
  for (const round of ['first', 'second']) {
    const from = performance.now();
    const nodes = await openDebug(lender, wish);
    t.diagnostic(`${round}: restored in ${Math.round(performance.now() - from)} ms`);
    assert.deepEqual(
      nodes.map(({ name, answers }) => [name, answers]),
      [
        ['server', true],
        ['client', true],
      ],
    );
    assert.deepEqual(await provider.list(), [{ build: `debug-${build}`, holder: 'debug/x' }]);
    assert.deepEqual(await expireSnapshots(places, nothing), [], 'what is looked at does not go');
    for (const { name, command } of nodes) {
      const script =
        'cat /root/left; kill -0 $(cat /run/pid) && echo runs; test ! -e /root/touched && touch /root/touched && date +%s';
      const { stdout } = await must('sh', ['-c', `${command} "$1"`, 'sh', script]);
      const [left, runs, time] = stdout.trim().split('\n');
      assert.deepEqual([left, runs], [name, 'runs'], stdout);
      assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60, `the clock says ${time}`);
    }
    const reach = `${nodes[0]?.command} 'timeout 20 bash -c "echo > /dev/tcp/client/7" 2>&1; ip route; ping -c1 -W5 client'`;
    const { stdout } = await run('sh', ['-c', reach]);
    assert.match(stdout, /refused/, 'one reaches the other, which has nobody at that port');
    await closeDebug(lender, build);
    assert.deepEqual(await machinesIn(places), []);
  }
  assert.equal((await keptIn(places)).length, 1);
  await assert.rejects(
    openDebug(lender, { ...wish, hardware: { ...wish.hardware, emulator: '11.1' } }),
    /cannot be restored: its emulator was/,
  );
  await assert.rejects(openDebug(lender, { ...wish, build: 'other' }), /no machines are kept of the build other/);
});

test('I10: machines are saved after each step and go on; a person finds them as they were after one', async (t) => {
  const places = await world(t);
  const lender = { places, installation: 'test', ways: [] };
  const provider = createVmProvider({ ...lender, ways: async () => [], limits });
  const build = `steps-${process.pid}`;
  t.after(() => provider.sweep(build));
  const lease = await provider.lend({ build });
  const machines = await Promise.all(['server', 'client'].map((name) => lease.machine({ ...need, name })));
  await lease.seclude(signal);
  const ticking = 'while :; do date +%s > /run/tick; mv /run/tick /run/ticks; sleep 1; done';
  const going = machines[0]?.exec(['sh', '-c', ticking], { signal });
  going?.catch(() => {});
  for (const step of steps) {
    const begin = performance.now();
    await lease.beginStep?.(step);
    t.diagnostic(`before ${step.name}: ${Math.round(performance.now() - begin)} ms`);
    for (const machine of machines) {
      const { code, output } = await machine.exec(['sh', '-c', `echo ${step.name} >> /root/did; date +%s`], { signal });
      assert.equal(code, 0, output);
      assert.ok(Math.abs(Number(output) - Date.now() / 1000) < 60, `the clock says ${output}`);
    }
    const read = ['sh', '-c', 'until [ -e /run/ticks ]; do sleep 1; done; cat /run/ticks'];
    const { output } = (await machines[0]?.exec(read, { signal })) ?? {};
    assert.ok(Date.now() / 1000 - Number(output) < 60, 'what ran in the background goes on');
  }
  const kept = await provider.keep?.(lease);
  assert.deepEqual(kept?.steps, [1, 2]);
  await provider.release(lease);
  assert.deepEqual(await readdir(places.machines), []);

  const wish = { build, holder: 'debug/x', hardware: await hardwareHere(), signal };
  t.after(() => closeDebug(lender, build));
  for (const [step, did] of [
    [1, 'first\n'],
    [3, 'first\nsecond\nthird\n'],
  ] as const) {
    const nodes = await openDebug(lender, { ...wish, step });
    for (const { command, answers } of nodes) {
      assert.ok(answers);
      assert.equal((await must('sh', ['-c', `${command} cat /root/did`])).stdout, did);
    }
    await closeDebug(lender, build);
  }
  await provider.sweep(build);
});
