import { dirname, join } from 'node:path';
import { readRootIndex as readDeb } from './deb/index-read.ts';
import type { RootIndex } from './port.ts';
import { readRootIndex as readRpm } from './rpm/index-read.ts';

/**
 * The root indexes among a tree's files, of any number of repositories and of both formats. Of an `InRelease` and a `Release` in
 * one directory it is the first, as APT has it.
 */
export function rootIndexPaths(files: readonly string[]): string[] {
  const deb = files.filter((path) => /(^|\/)(InRelease|Release)$/.test(path) && !inArchitecture(path));
  const chosen = deb.filter((path) => path.endsWith('InRelease') || !deb.includes(join(dirname(path), 'InRelease')));
  return [...chosen, ...files.filter((path) => /(^|\/)repodata\/repomd\.xml$/.test(path))];
}

/** Reads a root index and the lists of packages that it names. */
export function readRootIndex(tree: string, root: string): Promise<RootIndex> {
  return root.endsWith('.xml') ? readRpm(tree, root) : readDeb(tree, root);
}

/** Archives keep a small `Release` beside each list that names nothing. */
function inArchitecture(path: string): boolean {
  return /(^|\/)dists\/.*\/(binary-[^/]+|source)\/Release$/.test(path);
}
