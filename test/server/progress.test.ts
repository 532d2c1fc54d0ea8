import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReviewProgress } from '../../activities/review/port.ts';
import { progressOf } from '../../pipelines/report/progress.ts';
import { createProgress } from '../../server/events/progress.ts';
import type { ItemSnapshot, QueueSnapshot } from '../../workflows/contract.ts';

const job = (name: string, result: string | null, startTime: number | null = 1) => ({ name, result, startTime });

test('how far jobs are is said until the last is done', () => {
  assert.equal(progressOf([]), undefined);
  assert.deepEqual(progressOf([job('build', null), job('lint', null, null)]), {
    done: 0,
    title: '0 of 2 jobs are done',
    summary: '- build: runs\n- lint: waits',
  });
  assert.deepEqual(progressOf([job('build', 'SUCCESS'), job('lint', null), job('install', null, null)]), {
    done: 1,
    title: '1 of 3 jobs is done',
    summary: '- build: SUCCESS\n- lint: runs\n- install: waits',
  });
  assert.equal(
    progressOf([job('build', 'SUCCESS'), job('lint', 'FAILURE'), job('x', null)])?.title,
    '2 of 3 jobs are done',
  );
  assert.equal(progressOf([job('build', 'SUCCESS')]), undefined);
});

function queueOf(jobs: readonly ReturnType<typeof job>[], more: Partial<ItemSnapshot> = {}): QueueSnapshot {
  const changes = [
    { id: 'hub:acme/tool#7', patchset: 2 },
    { id: 'git:1', patchset: 1 },
  ];
  return {
    pipeline: 'gate',
    workflow: 'gate/t/gate/q',
    items: [{ changes, state: 'running', jobs, ...more }],
  } as never;
}

test('what is so by then is said once in a while, where the host shows it, and nothing after the result', async () => {
  const said: string[] = [];
  let fails = false;
  const host = {
    async progress(_: unknown, { change, patchset, pipeline, title }: ReviewProgress) {
      said.push(`${change},${patchset} ${pipeline}: ${title}`);
      if (fails) throw new Error('away');
    },
  };
  const every = 40;
  const take = createProgress({ hostOf: (name) => (name === 'hub' ? host : {}), every });
  const jobs = (done: number) => [0, 1, 2, 3].map((at) => job(`job-${at}`, at < done ? 'SUCCESS' : null));
  const word = (done: number) => `hub:acme/tool#7,2 gate: ${done} of 4 jobs ${done === 1 ? 'is' : 'are'} done`;
  take(queueOf(jobs(0)));
  assert.deepEqual(said, []);
  for (const done of [1, 2, 3]) take(queueOf(jobs(done)));
  assert.deepEqual(said, [word(1)]);
  await sleep(every * 4);
  assert.deepEqual(said, [word(1), word(3)], 'what is so after a while');
  for (const _ of ['the same', 'once more']) take(queueOf(jobs(3)));
  await sleep(every * 4);
  assert.deepEqual(said, [word(1), word(3)]);
  fails = true;
  take(queueOf(jobs(2)));
  take(queueOf(jobs(1), { state: 'reporting' }));
  await sleep(every * 4);
  assert.deepEqual(said, [word(1), word(3), word(2)], 'its result is reported');
});

test('of a change that is tested again what was said of its jobs before does not stay', async () => {
  const said: string[] = [];
  const host = { progress: async (_: unknown, { title }: ReviewProgress) => void said.push(title) };
  const every = 20;
  const take = createProgress({ hostOf: (name) => (name === 'hub' ? host : {}), every });
  const jobs = (...results: (string | null)[]) => results.map((result, at) => job(`job-${at}`, result));
  const word = (done: number) => `${done} of 2 jobs ${done === 1 ? 'is' : 'are'} done`;
  take(queueOf(jobs('SUCCESS', null)));
  for (const state of ['waiting', 'preparing'] as const) take(queueOf([], { state }));
  await sleep(every * 4);
  assert.deepEqual(said, [word(1)]);
  take(queueOf(jobs(null, null)));
  assert.deepEqual(said, [word(1), word(0)]);
  take(queueOf(jobs('SUCCESS', null), { state: 'merging' }));
  await sleep(every * 4);
  assert.deepEqual(said, [word(1), word(0)]);
  take({ ...queueOf([]), items: [] });
  take(queueOf(jobs(null, null)));
  assert.deepEqual(said, [word(1), word(0)], 'what comes in anew has its own start');
});
