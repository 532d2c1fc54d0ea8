import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../files/write.ts';
import { run } from '../process/run.ts';
import type { Generations } from './generations.ts';

/** Files that a tree keeps for clients of older states: path to the name of the last tree whose index names it. */
export type Stale = ReadonlyMap<string, string>;

const noted = z.object({ generation: z.string(), stale: z.array(z.tuple([z.string(), z.string()])) });

/**
 * Notes what a tree that is about to be shown holds besides what its index names. A note about another tree than the
 * one shown says nothing, so that it matters to nobody when the tree is not shown after all.
 */
export async function noteStale({ dir, home }: Generations, generation: string, stale: Stale | null): Promise<void> {
  if (stale === null) return forgetStale({ dir, home });
  await writeWhole(join(home, 'stale.json'), JSON.stringify({ generation, stale: [...stale] }));
}

/** Takes the note away. */
export async function forgetStale({ home }: Generations): Promise<void> {
  await rm(join(home, 'stale.json'), { force: true });
}

/** What a tree holds besides what its index names; null where nothing is known of it. */
export async function readStale({ home }: Generations, tree: string): Promise<Stale | null> {
  const text = await readFile(join(home, 'stale.json'), 'utf8').catch(() => '{}');
  const found = noted.safeParse(JSON.parse(text));
  return found.success && found.data.generation === basename(tree) ? new Map(found.data.stale) : null;
}

/** Gives all packages of a tree a second name in another one. @returns false where that cannot be */
export async function sharePool(from: string, to: string, pool: string): Promise<boolean> {
  const { code } = await run('cp', ['--archive', '--link', '--', join(from, pool), join(to, pool)]);
  return code === 0;
}
