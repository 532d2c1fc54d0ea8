import { dirname, join } from 'node:path';
import type { DigestedFile } from '../../pipelines/formats/digest.ts';
import { readRootIndex as readDeb } from './deb/index-read.ts';
import { listFiles } from './files.ts';
import { readRootIndex as readRpm } from './rpm/index-read.ts';

/** A package's file as a list names it; a source package of DEB has several. */
export interface NamedPackage extends DigestedFile {
  readonly kind: 'binary' | 'source';
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** What one root index (`InRelease`, `Release`, `repomd.xml`) leads to. All paths are below the tree. */
export interface RootIndex {
  readonly root: string;
  readonly format: 'deb' | 'rpm';
  /** The index files that it names and, for DEB, that are there. */
  readonly files: readonly DigestedFile[];
  /** Lists of packages that it names and of which no form is there: what they would name cannot be checked. */
  readonly absent: readonly string[];
  /** Other files that it names and that are not there: archives name more than they keep. */
  readonly unkept: readonly string[];
  readonly packages: readonly NamedPackage[];
}

/**
 * The root indexes of a tree, of any number of repositories and of both formats. Of an `InRelease` and a `Release` in
 * one directory it is the first, as APT has it.
 */
export async function rootIndexPaths(tree: string): Promise<string[]> {
  const files = await listFiles(tree);
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
