import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createNarrator } from '../../demo/narrator.ts';
import { checkout } from '../../infra/bootstrap/find.ts';
import type { ToolTimes } from '../../infra/temporal/tool-times.ts';
import { criticalPath, type PathNode } from './critical-path.ts';
import { type ChainStage, setStage } from './stage.ts';

const limit = 1.25;

/** Releases of one merge: one of each format. */
const releases = 2;

interface Measured {
  readonly push: PathNode;
  readonly pushed: number;
  readonly times: readonly ToolTimes[];
}

async function measure(stage: ChainStage): Promise<Measured> {
  await stage.mirrored(releases);
  const go = await stage.prepare();
  const { pushed, approved } = await go();
  await stage.mirrored(2 * releases);
  const lines = (await readFile(stage.times, 'utf8')).trim().split('\n');
  const times = lines.map((line) => JSON.parse(line) as ToolTimes).filter(({ started }) => started >= pushed);
  return { push: { node: 'push and approval', gap: 0, wall: approved - pushed, tools: 0 }, pushed: approved, times };
}

function summarize({ push, pushed, times }: Measured, places: boolean) {
  const path = [push, ...criticalPath(times, { pushed, places })];
  const sum = (of: (node: PathNode) => number) => path.reduce((total, node) => total + of(node), 0) / 1000;
  const wallSeconds = sum(({ gap, wall }) => gap + wall);
  const toolSeconds = sum(({ tools }) => tools);
  return { wallSeconds, toolSeconds, ratio: wallSeconds / toolSeconds, path };
}

const narrator = createNarrator((text) => process.stderr.write(text));
const stage = await setStage(join(checkout, '.sluice', 'chain'), narrator);
const load = loadavg()[0] ?? 0;
const measured = await measure(stage).finally(() => stage.stop());

const all = summarize(measured, true);
const { path: _, ...byDependencies } = summarize(measured, false);
const ok = all.ratio < limit;
console.log(JSON.stringify({ bench: 'chain', ...all, byDependencies, load, limits: { ratio: limit }, ok }));
process.exitCode = ok ? 0 : 1;
