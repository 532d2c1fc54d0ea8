import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DigestedFile, isStrong } from '../../pipelines/formats/digest.ts';
import { hashOf } from '../files/digest.ts';
import type { RepositoryFormat, RepositoryProblem, RootIndex } from './port.ts';
import { readRootIndex } from './root-index.ts';

/** What a check compared with what vouches for it, and what it could not. */
export interface Verified {
  readonly packages: number;
  /** Index files that a root index names. */
  readonly indexes: number;
  /** Lists of packages that a root index names and that the repository does not keep. */
  readonly unchecked: readonly string[];
  readonly problems: readonly RepositoryProblem[];
}

/** Checks size and hash of all that a repository's root indexes vouch for: index files, and the packages these list. */
export async function verifyTree(format: RepositoryFormat, tree: string): Promise<Verified> {
  const roots = await format.roots(tree);
  const found = await Promise.all(roots.map((root) => readRootIndex(tree, root)));
  const packages = new Set<string>();
  const message = 'nothing vouches for the packages: there is no InRelease, Release or repomd.xml';
  const problems: RepositoryProblem[] = roots.length > 0 ? [] : [{ kind: 'hash', subject: tree, message }];
  for (const index of found) {
    problems.push(...(await missingLists(tree, index)));
    const files = new Map(index.files.map((file) => [file.path, file]));
    for await (const some of index.packages()) {
      for (const one of some) {
        packages.add(`${one.name} ${one.version} ${one.arch}`);
        files.set(one.path, one);
      }
    }
    for (const file of files.values()) problems.push(...(await verifyFile(tree, file, index)));
  }
  return {
    packages: packages.size,
    indexes: found.reduce((sum, { files }) => sum + files.length, 0),
    unchecked: found.flatMap(({ absent }) => absent),
    problems,
  };
}

/** A copy of some architectures has no folder for the others, and their clients look elsewhere; the rest is missing. */
async function missingLists(tree: string, { root, absent, files }: RootIndex): Promise<RepositoryProblem[]> {
  const folders = await Promise.all(absent.map((list) => readdir(join(tree, dirname(list))).catch(() => null)));
  const missing = absent.filter((_, position) => folders[position] !== null);
  if (missing.length > 0) {
    return missing.map((subject) => ({
      kind: 'hash',
      subject,
      message: `${root} names it, and no form of it is there`,
    }));
  }
  if (files.some(({ path }) => /(^|[/-])(Packages|Sources|primary)\b/.test(path))) return [];
  const what =
    absent.length > 0 ? `${absent[0]}, which it names, is not there` : 'it names no list of packages by a hash';
  return [{ kind: 'hash', subject: root, message: `nothing can be checked: ${what}` }];
}

async function verifyFile(
  tree: string,
  { path, size, digest }: DigestedFile,
  { root, format }: RootIndex,
): Promise<RepositoryProblem[]> {
  const wrong = (message: string): RepositoryProblem[] => [{ kind: 'hash', subject: path, message }];
  const found = await stat(join(tree, path)).catch(() => null);
  if (found === null) return wrong('the index names it and it is not there');
  if (digest === null) return wrong(`it cannot be checked: ${root} leads to it by no hash that is known`);
  if (format === 'deb' && !isStrong(digest)) {
    return wrong(`it cannot be checked: ${root} leads to it by ${digest.algorithm} alone, which APT does not take`);
  }
  // RPM metadata may leave the size out.
  const sized = Number.isNaN(size) || found.size === size;
  if (sized && (await hashOf(join(tree, path), digest.algorithm)) === digest.hex) return [];
  return wrong('its content is not what the index says');
}
