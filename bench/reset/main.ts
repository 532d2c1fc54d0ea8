import { setTimeout as sleep } from 'node:timers/promises';
import type { StageRunner } from '../../activities/ports.ts';
import { ann, type SmallStack, startSmallStack } from '../small-stack.ts';

/** Changes in the queue. */
const count = 20;

const configuration = `
- job: {name: empty-job, uses: build, attempts: 1, nodeset: {nodes: [{name: node, label: debian-12}]}}
- project: {gate: {jobs: [empty-job]}}
`;

/** An empty job that the benchmark can hold, and that says when it was asked for. */
class EmptyJob {
  /** Build set key to the moment when its job asked to run, in milliseconds. */
  readonly asked = new Map<string, number>();
  held = false;
  failing: string | undefined;
  readonly run: StageRunner = async ({ build }, { signal }) => {
    this.asked.set(build.buildSet, performance.now());
    while (this.held && !signal.aborted && build.change !== this.failing) await sleep(5);
    signal.throwIfAborted();
    const result = build.change === this.failing ? 'FAILURE' : 'SUCCESS';
    return { result, summary: 'empty', artifacts: [] };
  };
}

async function approve(stack: SmallStack, names: readonly string[]): Promise<void> {
  for (const name of names) await stack.control.changes.vote(ann, name, { label: 'Approved', value: 1 });
}

/** Looks ten times a second: the looking itself must not cost what is measured. */
async function waitFor(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + 120_000; !(await holds()); await sleep(100)) {
    if (performance.now() > limit) throw new Error(`not after two minutes: ${what}`);
  }
}

/** No change but so many is open any more: the others are merged. */
function openIn(stack: SmallStack, left: number): () => Promise<boolean> {
  return async () => (await stack.control.changes.list({ status: 'open' })).length === left;
}

/** Seconds for each of the changes, from the first approval to the last merge. */
async function measureMerges(stack: SmallStack): Promise<number> {
  const names = await stack.propose(Array.from({ length: count }, (_, index) => `merge-${index}`));
  const start = performance.now();
  await approve(stack, names);
  await waitFor('all changes are merged', openIn(stack, 0));
  return (performance.now() - start) / 1000 / count;
}

/** Seconds from the head's failure until the first jobs of all the new states have asked to run. */
async function measureReset(stack: SmallStack, job: EmptyJob): Promise<number> {
  const names = await stack.propose(Array.from({ length: count }, (_, index) => `reset-${index}`));
  job.held = true;
  job.asked.clear();
  await approve(stack, names);
  await waitFor('all jobs run', () => job.asked.size === count);
  const head = await stack.control.changes.read(names[0] ?? '');
  job.asked.clear();
  const start = performance.now();
  job.failing = head.id;
  await waitFor('all jobs run again', () => job.asked.size >= count - 1);
  const end = Math.max(...job.asked.values());
  job.held = false;
  await waitFor('the rest is merged', openIn(stack, 1));
  return (end - start) / 1000;
}

const job = new EmptyJob();
const stack = await startSmallStack(configuration, { build: job.run });
try {
  const secondsPerMerge = await measureMerges(stack);
  console.error(`${secondsPerMerge.toFixed(3)} s for each merge`);
  const secondsToReset = await measureReset(stack, job);
  const limits = { secondsPerMerge: 0.25, secondsToReset: 2 };
  const ok = secondsPerMerge < limits.secondsPerMerge && secondsToReset < limits.secondsToReset;
  console.log(JSON.stringify({ bench: 'reset', changes: count, secondsPerMerge, secondsToReset, limits, ok }));
  process.exitCode = ok ? 0 : 1;
} finally {
  await stack.stop();
}
