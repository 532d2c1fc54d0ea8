import type { StageRunner } from '../../activities/ports.ts';
import { readParts, subtractParts } from './parts.ts';
import { type GerritStack, startGerritStack } from './story.ts';

/** Seconds from the approval to the last merge, and of CPU for each change at the most, as Zuul 14.3 needs them. */
const zuul = { seconds: { 1: 0.7, 5: 3.2, 20: 16.3 }, cpuAt20: 0.85 } as const;

const configuration = `
- job: {name: empty-job, uses: build, attempts: 1, nodeset: {nodes: [{name: node, label: debian-12}]}}
- project: {gate: {jobs: [empty-job]}}
`;

const run: StageRunner = async () => ({ result: 'SUCCESS', summary: 'empty', artifacts: [] });
async function measure(stack: GerritStack, count: number, round: 'warm' | 'measured') {
  const names = Array.from({ length: count }, (_, index) => `file-${round}-${count}-${index}`);
  const numbers = await stack.propose('bench/empty', names);
  const [start, before] = [performance.now(), readParts(stack.pids)];
  for (const number of numbers) await stack.approve(number);
  await stack.settled(numbers, 300_000);
  const seconds = (performance.now() - start) / 1_000;
  const parts = subtractParts(readParts(stack.pids), before);
  const cpuPerChange = Object.values(parts).reduce((sum, used) => sum + used, 0) / count;
  return { changes: count, seconds, cpuPerChange, parts };
}

const stack = await startGerritStack({ projects: { 'bench/empty': configuration }, stages: { build: run } });
try {
  // The first changes of all find nothing compiled, in Java and in Node: they are not counted.
  for (const count of [2, 20, 5]) await measure(stack, count, 'warm');
  const results = [];
  for (const count of [1, 5, 20] as const)
    results.push({ ...(await measure(stack, count, 'measured')), limit: zuul.seconds[count] / 3 });
  const cpuLimit = zuul.cpuAt20 / 4;
  const ok = results.every(({ seconds, limit }) => seconds < limit) && (results.at(-1)?.cpuPerChange ?? 0) < cpuLimit;
  console.log(JSON.stringify({ bench: 'gerrit', results, cpuLimit, ok }));
  process.exitCode = ok ? 0 : 1;
} finally {
  await stack.stop();
}
