import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../../pipelines/mirror/entries.ts';
import type { Manifest } from '../../pipelines/mirror/manifest.ts';
import { isIn, parentsOf } from '../../pipelines/mirror/way.ts';
import { type FileFacts, factsOf, manifestIn, scan } from './frozen-tree.ts';

/**
 * What a tree holds that nobody changes any more: all of it, or what changed where the one before is known.
 *
 * @param since the tree before, with the paths in its pools that came or went
 * @throws MirrorError `source` for a name that is not mirrored
 */
export async function readTree(tree: string, since: Since | null = null): Promise<Manifest> {
  if (since === null) return manifestIn(tree, scan(tree));
  const { before, paths } = since;
  const look = (path: string) => lstatSync(join(tree, path), { throwIfNoEntry: false });
  const both = since.pools.filter((pool) => before.directories?.includes(pool) && look(pool)?.isDirectory() === true);
  const inPool = (path: string) => isIn(both, path);
  const found = scan(tree, both);
  const changed = new Set(paths);
  const there = paths
    .filter((path) => inPool(path) && look(path)?.isFile() === true)
    .map((path) => [path, factsOf(join(tree, path))] as const);
  const parents = new Set(paths.flatMap(parentsOf).filter(inPool));
  const old = (before.directories ?? []).filter((path) => inPool(path) && !parents.has(path));
  const made = [...parents].filter((path) => look(path)?.isDirectory() === true);
  const directories = [...found.directories, ...old, ...made].sort();
  // Lists that are kept for clients of older states are many, and the same files in both trees.
  const isSame = (path: string, { id }: FileFacts) => before.files[path] !== undefined && idAt(since.tree, path) === id;
  const read = [...found.files].filter(([path, facts]) => !isSame(path, facts));
  const fresh = await manifestIn(tree, { ...found, directories, files: new Map([...read, ...there]) });
  const stays = (path: string) =>
    !Object.hasOwn(fresh.files, path) && (inPool(path) ? !changed.has(path) : found.files.has(path));
  const files = merged(entriesOf(before.files, stays), Object.entries(fresh.files));
  return { ...fresh, files: Object.fromEntries(files) };
}

type Entry<T> = readonly [path: string, value: T];

/** Two lists as one: both are in order, and the second is short. */
function* merged<T>(long: Iterable<Entry<T>>, short: readonly Entry<T>[]): Iterable<Entry<T>> {
  const left = short.toSorted(([a], [b]) => (a < b ? -1 : 1)).values();
  let next = left.next();
  for (const entry of long) {
    for (; !next.done && next.value[0] < entry[0]; next = left.next()) yield next.value;
    yield entry;
  }
  for (; !next.done; next = left.next()) yield next.value;
}

/** What is known of a tree before another one, and where it stands. */
export interface Since {
  readonly before: Manifest;
  readonly tree: string;
  readonly paths: readonly string[];
  /** Directories in which nothing but these paths changed, where both trees have them. */
  readonly pools: readonly string[];
}

/** Null where nothing is, or nothing any more. */
function idAt(tree: string, path: string): string | null {
  try {
    return factsOf(join(tree, path)).id;
  } catch {
    return null;
  }
}
