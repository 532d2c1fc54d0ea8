import { lstat, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from '../git/git.ts';
import { BuildProblem } from './problem.ts';

/** A source tree on this host: nothing in it is to be trusted. */
export interface Source {
  readonly directory: string;
  /** Regular files and links, relative, sorted. */
  readonly paths: readonly string[];
  /** Its Git directory, moved out of the tree; null for a tree without history. */
  readonly gitDir: string | null;
}

const tarball = /\.(?:tar(?:\.\w+)?|tgz|tbz2?|txz|tlz|tzst)$/i;
const origTarball = /\.orig(?:-[\w-]+)?\.tar\.\w+$/i;
const packagingFolders = new Set(['debian', 'packaging', 'rpm', 'spec', 'specs', 'sources']);

/**
 * Looks through a tree that was written to `directory`.
 *
 * @throws BuildProblem for a tree that holds an upstream tarball or a submodule: sources are fully unpacked.
 */
export async function openSource(directory: string): Promise<Source> {
  const gitDir = await moveHistory(directory);
  const paths = (await listFiles(directory, '')).sort();
  const packed = paths.find(isUpstreamTarball);
  if (packed !== undefined) {
    throw new BuildProblem(
      `${printable(packed)} is an upstream tarball: commit the unpacked tree instead, the tarball is generated from it`,
    );
  }
  if (gitDir !== null) await refuseSubmodules(gitDir);
  return { directory, paths, gitDir };
}

async function moveHistory(directory: string): Promise<string | null> {
  const inside = join(directory, '.git');
  const found = await lstat(inside).catch(() => null);
  if (!found?.isDirectory()) return null;
  await rename(inside, `${directory}.git`);
  return `${directory}.git`;
}

function isUpstreamTarball(path: string): boolean {
  if (origTarball.test(path)) return true;
  const folders = path.split('/').slice(0, -1);
  const placed = folders.length === 0 || packagingFolders.has((folders[0] ?? '').toLowerCase());
  return placed && tarball.test(path) && !/(?:^|\/)tests?\//.test(path);
}

async function refuseSubmodules(gitDir: string): Promise<void> {
  const entries = (await git(gitDir, ['ls-tree', '-r', '-z', 'HEAD'])).split('\0');
  const link = entries.find((entry) => entry.startsWith('160000 '))?.split('\t')[1];
  if (link === undefined) return;
  throw new BuildProblem(
    `${printable(link)} is a Git submodule: commit its files instead, so that the tree is complete`,
  );
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (path === '.git') return [];
      return entry.isDirectory() ? listFiles(root, path) : [path];
    }),
  );
  return found.flat();
}

/** Reads a text file of the tree; null when it is absent, or reached through a link: it could lead anywhere. */
export async function readSourceFile(source: Source, path: string): Promise<string | null> {
  let at = source.directory;
  for (const part of path.split('/')) {
    at = join(at, part);
    const info = await lstat(at).catch(() => null);
    if (info === null || info.isSymbolicLink()) return null;
  }
  return readFile(at, 'utf8');
}

/** A name from outside as it may stand in a message: on one line, without control characters. */
export function printable(name: string): string {
  return /^[\w./+~@^:-]+$/.test(name) ? name : JSON.stringify(name);
}
