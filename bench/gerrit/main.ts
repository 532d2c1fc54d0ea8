import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { StageRunner } from '../../activities/ports.ts';
import { type GerritStack, startGerritStack } from './story.ts';

/** Seconds from the approval to the last merge, and of CPU for each change at the most, as Zuul 14.3 needs them. */
const zuul = { seconds: { 1: 0.7, 5: 3.2, 20: 16.3 }, cpuAt20: 0.85 } as const;

const configuration = `
- job: {name: empty-job, uses: build, attempts: 1, nodeset: {nodes: [{name: node, label: debian-12}]}}
- project: {gate: {jobs: [empty-job]}}
`;

const run: StageRunner = async () => ({ result: 'SUCCESS', summary: 'empty', artifacts: [] });
const tick = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** CPU seconds of this process with what it has run, and of the others. */
function cpu({ pids }: GerritStack): number {
  return [process.pid, ...children(process.pid), ...pids]
    .filter((pid, index, all) => all.indexOf(pid) === index)
    .reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  try {
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const fields = rest.split(' ').map(Number);
    return fields.slice(11, 15).reduce((sum, each) => sum + each, 0) / tick;
  } catch {
    return 0;
  }
}

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

async function measure(stack: GerritStack, count: number) {
  const names = Array.from({ length: count }, (_, index) => `file-${count}-${index}`);
  const numbers = await stack.propose('bench/empty', names);
  const [start, used] = [performance.now(), cpu(stack)];
  for (const number of numbers) await stack.approve(number);
  await stack.settled(numbers, 300_000);
  const seconds = (performance.now() - start) / 1_000;
  return { changes: count, seconds, cpuPerChange: (cpu(stack) - used) / count };
}

const stack = await startGerritStack({ projects: { 'bench/empty': configuration }, stages: { build: run } });
try {
  // The first change of all finds nothing warm: it is not counted.
  await measure(stack, 2);
  const results = [];
  for (const count of [1, 5, 20] as const)
    results.push({ ...(await measure(stack, count)), limit: zuul.seconds[count] / 3 });
  const cpuLimit = zuul.cpuAt20 / 4;
  const ok = results.every(({ seconds, limit }) => seconds < limit) && (results.at(-1)?.cpuPerChange ?? 0) < cpuLimit;
  console.log(JSON.stringify({ bench: 'gerrit', results, cpuLimit, ok }));
  process.exitCode = ok ? 0 : 1;
} finally {
  await stack.stop();
}
