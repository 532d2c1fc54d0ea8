import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepEmulated } from '../../../infra/compose/keep-emulated.ts';

test('what is emulated since the worker began is served without a restart, once, and again where its worker ends', async () => {
  const ways: string[] = [];
  const faults: string[] = [];
  let [emulated, starts] = [[] as readonly string[], 0];
  let fail = (_: Error) => {};
  const kept = keepEmulated(
    {
      emulated: async () => emulated,
      async start(arch) {
        starts++;
        if (starts === 1) throw new Error('Temporal is away');
        ways.push(`start ${arch}`);
        const ended = new Promise<void>((_, reject) => {
          fail = reject;
        });
        return { ended, stop: async () => void ways.push(`stop ${arch}`) };
      },
      logger: { error: ({ err }: { readonly err: Error }) => faults.push(err.message) } as never,
    },
    2,
  );
  const until = async (met: () => boolean) => {
    for (let i = 0; i < 30_000 && !met(); i++) await sleep(2);
    assert.ok(met(), JSON.stringify({ ways, faults }));
  };
  await sleep(10);
  assert.deepEqual(ways, []);
  emulated = ['arm64'];
  await until(() => ways.length === 1);
  assert.deepEqual(faults, ['Temporal is away']);
  await sleep(10);
  assert.deepEqual(ways, ['start arm64']);
  fail(new Error('worker is gone'));
  await until(() => ways.length === 2);
  assert.deepEqual(faults, ['Temporal is away', 'worker is gone']);
  await kept.stop();
  assert.deepEqual(ways, ['start arm64', 'start arm64', 'stop arm64']);
});
