import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import { keepEmulated } from '../../../infra/compose/keep-emulated.ts';
import { workerPart } from '../../../infra/compose/worker-part.ts';

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
  await until(() => ways.length === 3);
  assert.deepEqual(faults, ['Temporal is away', 'worker is gone']);
  await kept.stop();
  assert.deepEqual(ways, ['start arm64', 'stop arm64', 'start arm64', 'stop arm64']);
});

test('where one of several workers fails, the others end before all are begun anew', async () => {
  const drained = Promise.withResolvers<void>();
  const told: string[] = [];
  /** One that runs until it is shut down, and has something in work then. */
  const healthy = () => {
    let state = 'INITIALIZED';
    const over = Promise.withResolvers<void>();
    return {
      getState: () => state,
      async run() {
        state = 'RUNNING';
        await over.promise;
        await drained.promise;
        told.push('ended');
      },
      shutdown() {
        state = 'DRAINING';
        told.push('told to end');
        over.resolve();
      },
    };
  };
  const failing = { getState: () => 'FAILED', run: () => Promise.reject(new Error('gone')), shutdown: assert.fail };
  let starts = 0;
  const kept = keepEmulated(
    {
      emulated: async () => ['arm64'],
      async start() {
        told.push('start');
        starts++;
        return workerPart((starts === 1 ? [healthy(), failing] : [healthy()]) as unknown as Worker[]);
      },
      logger: { error: ({ err }: { readonly err: Error }) => told.push(err.message) } as never,
    },
    2,
  );
  await sleep(20);
  assert.deepEqual(told, ['start', 'gone', 'told to end']);
  drained.resolve();
  for (let i = 0; i < 30_000 && starts === 1; i++) await sleep(2);
  await kept.stop();
  assert.deepEqual(told.slice(3), ['ended', 'start', 'told to end', 'ended']);
});
