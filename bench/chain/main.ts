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

async function measure(stage: ChainStage): Promise<readonly PathNode[]> {
  await stage.mirrored(releases);
  const go = await stage.prepare();
  const { pushed, approved } = await go();
  await stage.mirrored(2 * releases);
  const lines = (await readFile(stage.times, 'utf8')).trim().split('\n');
  const times = lines.map((line) => JSON.parse(line) as ToolTimes).filter(({ started }) => started >= pushed);
  const push = { node: 'push and approval', gap: 0, wall: approved - pushed, tools: 0 };
  return [push, ...criticalPath(times, approved)];
}

const narrator = createNarrator((text) => process.stderr.write(text));
const stage = await setStage(join(checkout, '.sluice', 'chain'), narrator);
const load = loadavg()[0] ?? 0;
const path = await measure(stage).finally(() => stage.stop());

const sum = (of: (node: PathNode) => number) => path.reduce((total, node) => total + of(node), 0) / 1000;
const wallSeconds = sum(({ gap, wall }) => gap + wall);
const toolSeconds = sum(({ tools }) => tools);
const ratio = wallSeconds / toolSeconds;
const ok = ratio < limit;
console.log(
  JSON.stringify({ bench: 'chain', wallSeconds, toolSeconds, ratio, path, load, limits: { ratio: limit }, ok }),
);
process.exitCode = ok ? 0 : 1;
