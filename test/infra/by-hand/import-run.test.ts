import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempted, type Attempts, runJobs } from '../../../infra/by-hand/import-run.ts';
import { currentBuilds } from '../../../pipelines/jobs/build-set.ts';
import type { BuildSetState } from '../../../pipelines/jobs/state.ts';
import type { BuildResult, JobGraph } from '../../../pipelines/model/job.ts';
import { graph, job } from '../../pipelines/jobs/sample.ts';

const came = (result: BuildResult): Attempted => ({ outcome: { result, time: 1 } });
const paused: Attempted = { ...came('SUCCESS'), paused: { queue: '', returned: {} as never } };

/** Ends as cancelled once it is told to. */
const untilStopped = (signal: AbortSignal) =>
  new Promise<Attempted>((resolve) => signal.addEventListener('abort', () => resolve(came('CANCELED'))));

interface Play {
  readonly slots?: number;
  readonly begin?: (key: string, signal: AbortSignal) => Promise<Attempted>;
  readonly signal?: AbortSignal;
}

async function play(of: JobGraph, { slots = 9, begin = async () => came('SUCCESS'), signal }: Play = {}) {
  const heard: string[] = [];
  let going = 0;
  let most = 0;
  const attempts: Attempts = {
    slots,
    async begin({ key }, stop) {
      heard.push(key);
      going += 1;
      most = Math.max(most, going);
      return begin(key, stop).finally(() => {
        going -= 1;
      });
    },
    async resume({ key }, _, abandoned) {
      heard.push(`${key} ${abandoned ? 'abandoned' : 'resumed'}`);
      return came(abandoned ? 'CANCELED' : 'SUCCESS');
    },
  };
  const state = await runJobs({ graph: of, jobs: [] }, attempts, signal ?? new AbortController().signal);
  return { heard, most, results: resultsOf(state) };
}

function resultsOf(state: BuildSetState): string[] {
  return state.graph.jobs.map(({ key }) => `${key} ${currentBuilds(state).get(key)?.result}`);
}

test('jobs run in the order of the graph, no more at once than there are slots', async () => {
  const one = await play(graph(['build', 'publish > build', 'install > publish', 'lint > build']), { slots: 1 });
  assert.deepEqual(one.heard, ['build/1', 'publish/1', 'install/1', 'lint/1']);
  assert.equal(one.most, 1);
  const many = await play(graph(['a', 'b', 'c', 'd', 'e']), {
    slots: 3,
    begin: () => new Promise((done) => setImmediate(done, came('SUCCESS'))),
  });
  assert.equal(many.most, 3);
  assert.equal(many.heard.length, 5);
});

test('a failure skips what depends on it', async () => {
  const begin = async (key: string) => came(key === 'build/1' ? 'FAILURE' : 'SUCCESS');
  const { results } = await play(graph(['build', 'publish > build', 'lint']), { begin });
  assert.deepEqual(results, ['build FAILURE', 'publish SKIPPED', 'lint SUCCESS']);
});

test('with fail-fast a failure stops what runs', async () => {
  const begin = (key: string, signal: AbortSignal) =>
    key === 'bad/1' ? Promise.resolve(came('FAILURE')) : untilStopped(signal);
  const { results } = await play(graph(['bad', 'long'], true), { begin });
  assert.deepEqual(results, ['bad FAILURE', 'long CANCELED']);
});

test('a fault of the infrastructure is tried again, as often as the job says', async () => {
  const one = await play(graph([job('build', { attempts: 2 })]), { begin: async () => came('RETRY') });
  assert.deepEqual(one.heard, ['build/1', 'build/2']);
  assert.deepEqual(one.results, ['build RETRY_LIMIT']);
});

test('a job that pauses goes on when those that depend on it have ended', async () => {
  const begin = async (key: string) => (key === 'serve/1' ? paused : came('SUCCESS'));
  const { heard, results } = await play(graph(['serve', 'use > serve']), { begin });
  assert.deepEqual(heard, ['serve/1', 'use/1', 'serve/1 resumed']);
  assert.deepEqual(results, ['serve SUCCESS', 'use SUCCESS']);
});

test('a job that pauses is ended where all is cancelled', async () => {
  const begin = async (key: string) => (key === 'serve/1' ? paused : came('FAILURE'));
  const { heard } = await play(graph(['serve', 'use > serve'], true), { begin });
  assert.deepEqual(heard.at(-1), 'serve/1 abandoned');
});

test('who interrupts ends all jobs, and hears why', async () => {
  const stop = new AbortController();
  let stopped = 0;
  const begin = async (key: string, signal: AbortSignal) => {
    if (key === 'two/1') setImmediate(() => stop.abort(new Error('interrupted')));
    return untilStopped(signal).finally(() => {
      stopped += 1;
    });
  };
  await assert.rejects(play(graph(['one', 'two']), { begin, signal: stop.signal }), /^Error: interrupted$/);
  assert.equal(stopped, 2);
});

test('where nothing can be run at all, the rest is stopped, and it is said', async () => {
  let stopped = false;
  const begin = async (key: string, signal: AbortSignal) => {
    if (key === 'one/1') throw new Error('no engine');
    return untilStopped(signal).finally(() => {
      stopped = true;
    });
  };
  await assert.rejects(play(graph(['one', 'two']), { begin }), /^Error: no engine$/);
  assert.ok(stopped);
});
