import { join } from 'node:path';
import { exists } from '../../files/exists.ts';
import type { PackageId } from '../port.ts';

/** Where the index of a repository stands, below it. */
export const repomd = 'repodata/repomd.xml';

/** The directory of the repository that debug packages have for themselves, below that of all others. */
const debugPart = 'debug/';

/** A repository within a tree: its path with a slash at its end, empty for the tree's own. */
export type Part = '' | typeof debugPart;

/** What a repository is made of. */
export function partsOf({ debug }: { readonly debug: boolean }): readonly ['', ...Part[]] {
  return debug ? ['', debugPart] : [''];
}

/** The repositories that a tree has, its own first. */
export async function partsIn(tree: string): Promise<readonly ['', ...Part[]]> {
  return partsOf({ debug: await exists(join(tree, debugPart, repomd)) });
}

/** Which of them a package is of, by its path. @param debug whether a tree has both: in one list paths say nothing */
export function partOf(path: string, debug: boolean): Part {
  return debug && path.startsWith(debugPart) ? debugPart : '';
}

/** Names as Koji tells debug packages by. */
const isDebug = /-debug(?:info|source)$|-debuginfo-/;

/** Where a package's file stands. */
export function shelved({ name, path }: Pick<PackageId, 'name'> & { readonly path: string }, debug: boolean): string {
  const main = path.slice(partOf(path, true).length);
  const apart = debug && isDebug.test(name) && !/\.(?:no)?src\.rpm$/.test(path);
  return apart ? `${debugPart}${main}` : main;
}
