import assert from 'node:assert/strict';
import { before, beforeEach, describe, type TestContext, test } from 'node:test';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import type { Places } from '../../../../activities/nodes/vm/records.ts';
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
});
