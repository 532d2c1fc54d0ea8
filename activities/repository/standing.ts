import { existsSync, readFileSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Former } from '../../pipelines/policy/former-files.ts';
import { exists } from '../files/exists.ts';
import { makeOpenDirectory } from '../files/modes.ts';
import { moveWhole, writeWhole } from '../files/write.ts';
import { run } from '../process/run.ts';
import { linkFile } from './files.ts';
import { claimSpare, currentTree, type Generations, removeWhole, spareTree, stagedNote } from './generations.ts';

/** Files that a tree keeps for clients of older states, packages and lists of them, by their paths. */
export type Stale = ReadonlyMap<string, Former>;

/** A tree that was shown, and the packages' paths that it has and the one before had not, or the other way round. */
export type Step = readonly [name: string, paths: readonly string[]];

/** What is known of a tree besides its index. */
export interface Standing {
  readonly stale: Stale;
  /** The latest steps that led to it, in their order; null where it has packages elsewhere than we put them. */
  readonly steps: readonly Step[] | null;
  /** The latest time at which a state was made, in milliseconds since the epoch. */
  readonly clock: number;
}

/** Steps that are remembered: some more than trees that are kept. */
const remembered = 8;

/** Where the tree is spoken of that is shown, and one that is about to be. */
const [shown, coming] = ['stale.json', 'stale-next.json'];

/**
 * Notes what a tree that is about to be shown holds besides what its index names, and how it came to be. What is noted
 * of the one shown stays until `settleStanding`, so that nothing is forgotten when the tree is not shown after all.
 */
export function noteStanding({ home }: Generations, name: string, standing: Standing | null): Promise<void> {
  return write(join(home, coming), name, standing);
}

/**
 * Ends what a writer began who was killed. What it has shown is known from now on; of what it was about to show nobody has
 * seen anything: that tree goes, and its number is the next one's. For the writer only.
 */
export async function settleLast(generations: Generations): Promise<void> {
  const { home } = generations;
  const current = await currentTree(generations).catch(() => null);
  const { generation } = JSON.parse(textIn(join(home, coming))) as { readonly generation?: unknown };
  if (typeof generation !== 'string' || !/^\d{6,}$/.test(generation)) return;
  if (current === null || generation > basename(current)) return removeWhole(home, generation);
  // Whoever showed it did not come as far as here.
  await settleStanding(generations, basename(current));
}

/** Lets what was noted of a tree take the place of what was known of the one before: it is shown. */
export async function settleStanding({ home }: Generations, name: string): Promise<void> {
  if ((await read(join(home, coming), name)) !== null) await rename(join(home, coming), join(home, shown));
}

/** The same for a tree that is shown later: in the tree, until it has its number. */
export async function noteStaged(tree: string, standing: Standing): Promise<void> {
  await write(join(tree, stagedNote), basename(tree), standing);
}

/** What was noted of a staged tree. */
export function readStaged(tree: string): Promise<Standing | null> {
  return read(join(tree, stagedNote), basename(tree));
}

async function write(path: string, generation: string, standing: Standing | null): Promise<void> {
  if (standing === null) return rm(path, { force: true });
  const { stale, steps, clock } = standing;
  const files = [...stale].map(([file, { last, since }]) => [file, last, since]);
  await writeWhole(path, JSON.stringify({ generation, clock, stale: files, steps: steps?.slice(-remembered) ?? null }));
}

/** What a tree holds besides what its index names; null where nothing is known of it. */
export async function readStanding({ home }: Pick<Generations, 'home'>, tree: string): Promise<Standing | null> {
  return (await read(join(home, shown), basename(tree))) ?? read(join(home, coming), basename(tree));
}

/** The file as we write it, taken apart by hand: it is read with each publication, and a library takes longer to load. */
async function read(path: string, name: string): Promise<Standing | null> {
  const text = textIn(path);
  const { generation, stale, steps = [], clock = Date.now() } = JSON.parse(text) as Record<string, unknown>;
  if (generation !== name || !isFormer(stale) || !isSteps(steps) || typeof clock !== 'number') return null;
  // Older versions noted no time.
  const files = stale.map(([file, last, since = clock]) => [file, { last, since }] as const);
  return { stale: new Map(files), steps, clock };
}

/** What cannot be read is written anew. */
function textIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '{}';
  }
}

function isFormer(value: unknown): value is [string, string, number?][] {
  return isPairs(value, isText) && value.every((one: unknown[]) => ['undefined', 'number'].includes(typeof one[2]));
}

function isSteps(value: unknown): value is Step[] | null {
  return value === null || isPairs(value, isTexts);
}

function isPairs<T>(value: unknown, is: (second: unknown) => second is T): value is [string, T][] {
  return Array.isArray(value) && value.every((one) => Array.isArray(one) && isText(one[0]) && is(one[1]));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

interface Pools {
  /** The tree before, and the steps that led to it. */
  readonly before: string;
  readonly steps: readonly Step[];
  /** The directories of a tree that hold its packages. */
  readonly pools: readonly string[];
}

/**
 * Gives a new tree all packages of the one before: by the directories of a tree that nobody needs any more, in which only
 * what came or went since is looked at. That tree is no spare one any more before the first leaves it, so that who is
 * killed on the way leaves nothing half changed that is taken for whole.
 *
 * @returns the paths that were looked at; null where there is no such tree, or not all is known that happened since
 */
export async function takePool(
  generations: Generations,
  tree: string,
  { before, steps, pools }: Pools,
): Promise<readonly string[] | null> {
  const spare = await spareTree(generations);
  if (spare === null) return null;
  const there = await standingIn(spare.tree, pools);
  if (there.length === 0) return null;
  const paths = pathsBetween(steps, spare.name, basename(before));
  if (paths === null) return null;
  const claimed = await claimSpare(generations, spare.name);
  for (const pool of there) {
    await makeOpenDirectory(dirname(join(tree, pool)));
    await moveWhole(join(claimed, pool), join(tree, pool));
  }
  // Without its packages it is a few lists.
  rmSync(claimed, { recursive: true, force: true });
  for (const path of paths) {
    rmSync(join(tree, path), { force: true });
    if (!existsSync(join(before, path))) continue;
    await makeOpenDirectory(dirname(join(tree, path)));
    await linkFile(join(before, path), join(tree, path));
  }
  return paths;
}

/** Paths that came or went from one tree to a later one; null where the steps do not tell. */
export function pathsBetween(steps: readonly Step[], from: string, to: string): readonly string[] | null {
  const between = steps.filter(([name]) => name > from && name <= to);
  if (between.length !== Number(to) - Number(from)) return null;
  return [...new Set(between.flatMap(([, paths]) => paths))];
}

/** Gives all packages of a tree a second name in another one. @returns false where that cannot be */
export async function sharePools(from: string, to: string, pools: readonly string[]): Promise<boolean> {
  for (const pool of await standingIn(from, pools)) {
    await makeOpenDirectory(dirname(join(to, pool)));
    const { code } = await run('cp', ['--archive', '--link', '--', join(from, pool), join(to, pool)]);
    if (code !== 0) return false;
  }
  return true;
}

async function standingIn(tree: string, pools: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(pools.map((pool) => exists(join(tree, pool))));
  return pools.filter((_, position) => there[position]);
}
