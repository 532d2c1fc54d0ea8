import { setTimeout as sleep } from 'node:timers/promises';
import type { StageRunner } from '../../activities/ports.ts';
import { ann, startSmallStack } from '../small-stack.ts';

/** Jobs in a row, and how often the row is run. */
const length = 5;
const runs = 6;
const limit = 80;

const node = 'nodeset: {nodes: [{name: node, label: debian-12}]}';
const names = Array.from({ length }, (_, index) => `job-${index}`);
const definitions = names.map((name, index) => {
  return `- job: {name: ${name}, uses: build, ${node}${index === 0 ? '' : `, dependencies: [job-${index - 1}]`}}`;
});
const configuration = `${definitions.join('\n')}\n- project: {gate: {jobs: [${names.join(', ')}]}}\n`;

/** Milliseconds between the end of one job's stage and the beginning of the next one's, for every pair. */
async function measure(): Promise<readonly number[]> {
  const gaps: number[] = [];
  let ended = 0;
  let done = 0;
  const run: StageRunner = async ({ build }) => {
    const begun = performance.now();
    if (build.job !== names[0]) gaps.push(begun - ended);
    if (build.job === names.at(-1)) done += 1;
    ended = performance.now();
    return { result: 'SUCCESS', summary: 'empty', artifacts: [] };
  };
  const stack = await startSmallStack(configuration, { build: run });
  try {
    const changes = await stack.propose(Array.from({ length: runs }, (_, index) => `chain-${index}`));
    for (const [index, change] of changes.entries()) {
      await stack.control.changes.vote(ann, change, { label: 'Approved', value: 1 });
      while (done <= index) await sleep(20);
      // The merge of one change must not run into the jobs of the next.
      await sleep(1_000);
    }
  } finally {
    await stack.stop();
  }
  // The first run warms up: modules, caches, the store.
  return gaps.slice(length - 1);
}

const gaps = [...(await measure())].sort((a, b) => a - b);
const median = gaps[Math.floor(gaps.length / 2)] ?? Number.NaN;
const ok = median < limit;
console.log(JSON.stringify({ bench: 'orchestration', jobs: gaps.length, medianMilliseconds: median, limit, ok }));
process.exitCode = ok ? 0 : 1;
