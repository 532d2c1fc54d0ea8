import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, beforeEach, describe, type TestContext, test } from 'node:test';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import { emulatorsOf } from '../../../../activities/nodes/vm/emulator.ts';
import { expireSnapshots } from '../../../../activities/nodes/vm/expire.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { type Places, placesIn, snapshotsIn } from '../../../../activities/nodes/vm/records.ts';
import { must } from '../../../../activities/process/run.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { providerContract } from '../provider-contract.ts';
import { image, preparedForTests } from './prepared.ts';

const platform = { ...builtInPlatforms[0], buildImage: image, testImage: image } as Platform;
const need = { name: 'node', platform, kind: 'system', network: 'none' } as const;
let signal: AbortSignal;
// For each test anew: what is prepared first may take as long.
beforeEach(() => {
  signal = AbortSignal.timeout(600_000);
});

// By hand, and no part of `npm test`: an image is made and booted first, which takes minutes without KVM.
// .tools/node --test test/activities/nodes/vm/contract.ts
providerContract('QEMU', {
  open: async (installation) => {
    const places = await preparedForTests();
    return createVmProvider({ places, installation: installation?.id ?? null, ways: async () => [] });
  },
  need,
});

describe('machines from a snapshot', () => {
  let places: Places;
  before(async () => {
    places = await preparedForTests();
  });
  const lend = async (t: TestContext, build: string) => {
    const provider = createVmProvider({ places, installation: null, ways: async () => [] });
    t.after(() => provider.sweep(build));
    return provider.lend({ build });
  };
  /** A host with the same snapshot, whose memory may be changed. */
  const copied = async (t: TestContext) => {
    const root = await mkdtemp(join(tmpdir(), 'sluice-vm-'));
    t.after(() => rm(root, { recursive: true }));
    return placesIn(root);
  };

  test('twins have the right time, and keys, names and randomness of their own', async (t) => {
    const build = `test-twins-${process.pid}`;
    const lease = await lend(t, build);
    const machines = await Promise.all(['one', 'two'].map((name) => lease.machine({ ...need, name })));
    const script = `date +%s; cat /etc/machine-id; hostname; cat /sys/class/net/*/address | sort | tr '\\n' ' '; echo
      head -c 16 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid; ssh-keygen -lf /etc/sluice/host_key`;
    const seen = await Promise.all(
      machines.map(async (machine) => {
        const { code, output } = await machine.exec(['sh', '-c', script], { signal });
        assert.equal(code, 0, output);
        const [time = '', ...others] = output.trim().split('\n');
        assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60, `the clock says ${time}`);
        return others;
      }),
    );
    const [first = [], second = []] = seen;
    assert.equal(first.length, 6);
    for (const [index, line] of first.entries()) assert.notEqual(line, second[index]);
    const disks = (await readdir(places.machines)).filter((id) => id.startsWith(`${build}~`));
    for (const id of disks) {
      const { blocks } = await stat(join(places.machines, id, 'disk'));
      assert.ok(blocks * 512 < 32 * 1024 * 1024, 'it has written what it changed alone');
    }
  });

  test('I10: people have a shell on a machine that is held, with all that runs there, until it is swept', async (t) => {
    const build = `test-held-${process.pid}`;
    const provider = createVmProvider({ places, installation: null, ways: async () => [] });
    t.after(() => provider.sweep(build));
    const lease = await provider.lend({ build });
    const names = ['server', 'client'];
    const machines = await Promise.all(names.map((name) => lease.machine({ ...need, name })));
    await lease.seclude(signal);
    for (const machine of machines) {
      const left = 'hostname > /root/left; setsid sleep 3000 > /dev/null 2>&1 & echo $! > /run/pid';
      assert.equal((await machine.exec(['sh', '-c', left], { signal })).code, 0);
    }
    const held = await provider.hold?.(lease);
    assert.deepEqual(
      held?.map(({ name }) => name),
      names,
    );
    const look = 'cat /root/left; kill -0 $(cat /run/pid) && echo runs';
    for (const { name, command } of held ?? []) {
      const { stdout } = await must('sh', ['-c', `${command} "$1"`, 'sh', look]);
      assert.equal(stdout, `${name}\nruns\n`);
    }
    await provider.sweep(build);
    for (const { command } of held ?? []) await assert.rejects(must('sh', ['-c', `${command} true`]));
  });

  test('what a machine stands on does not expire', async (t) => {
    const lease = await lend(t, `test-used-${process.pid}`);
    await lease.machine(need);
    assert.deepEqual(await expireSnapshots(places, { age: 0, bytes: 0 }), []);
  });

  test('a machine whose emulator is killed is lost, which is no verdict on anybody', async (t) => {
    const build = `test-killed-${process.pid}`;
    const machine = await (await lend(t, build)).machine(need);
    const running = machine.exec(['sleep', '300'], { signal });
    const [id = ''] = (await readdir(places.machines)).filter((each) => each.startsWith(`${build}~`));
    for (const pid of await emulatorsOf(id)) process.kill(pid, 'SIGKILL');
    await assert.rejects(running, EngineUnavailable);
    await assert.rejects(machine.exec(['true'], { signal }), EngineUnavailable);
  });

  test('a program that takes too long is ended, and the machine goes on', async (t) => {
    const machine = await (await lend(t, `test-late-${process.pid}`)).machine(need);
    const late = await machine.exec(['sh', '-c', 'echo begun; sleep 300'], { signal, timeout: 3_000 });
    assert.deepEqual([late.timedOut, late.code], [true, 137]);
    const abort = new AbortController();
    const aborted = machine.exec(['sleep', '300'], { signal: abort.signal });
    abort.abort(new Error('no longer wanted'));
    await assert.rejects(aborted, /no longer wanted/);
    const env = { WORD: `it's "so"` };
    const options = { signal, user: 'nobody', cwd: '/tmp', env, input: 'read' };
    const { output } = await machine.exec(['sh', '-c', 'echo "$(id -un) $(pwd) $WORD $(cat)"; exit 0'], options);
    assert.equal(output, `nobody /tmp it's "so" read\n`);
  });

  test('a snapshot that is damaged gives no machine, and leaves nothing behind', async (t) => {
    const own = await copied(t);
    const [snapshot] = await snapshotsIn(places);
    assert.ok(snapshot);
    const directory = join(own.snapshots, snapshot.id);
    await mkdir(directory, { recursive: true });
    const from = join(places.snapshots, snapshot.id);
    await symlink(join(from, 'disk'), join(directory, 'disk'));
    await writeFile(join(directory, 'memory'), (await readFile(join(from, 'memory'))).subarray(0, 1_000_000));
    await writeFile(join(directory, 'snapshot.json'), JSON.stringify(snapshot));
    const provider = createVmProvider({ places: own, installation: null, ways: async () => [] });
    const lease = await provider.lend({ build: `test-damaged-${process.pid}` });
    await assert.rejects(lease.machine(need), /its memory is not as saved: sluice vm prepare$/);
    assert.deepEqual(await readdir(own.machines), []);
  });
});
