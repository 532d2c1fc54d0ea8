import { lstat, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSpecHead } from '../../pipelines/formats/rpm/spec.ts';
import { expandSubstitutions, inside, refusePointers } from './committed.ts';
import { follow, placeDebian } from './links.ts';
import { BuildProblem } from './problem.ts';
import { upstreamTarball } from './upstream-tarball.ts';

/** A source tree on this host: nothing in it is to be trusted. */
export interface Source {
  readonly directory: string;
  /** Regular files and links, relative, sorted; bytes that are not UTF-8 are U+FFFD. */
  readonly paths: readonly string[];
  /** Its Git directory, moved out of the tree; null for a tree without history. */
  readonly gitDir: string | null;
  /** The folder of the commit that stands here as `debian`, where that is a link; null where it is none. */
  readonly debian: string | null;
}

/**
 * Looks through a tree that was written to `directory`.
 *
 * @throws BuildProblem for a tree that holds an upstream tarball or a Git LFS pointer: sources are fully unpacked and
 * complete.
 */
export async function openSource(directory: string): Promise<Source> {
  const gitDir = await moveHistory(directory);
  if (gitDir !== null) await expandSubstitutions(gitDir, directory);
  const debian = await placeDebian(directory);
  const names = await listFiles(directory, Buffer.of());
  const paths = names.map(String).sort();
  const source = { directory, paths, gitDir, debian };
  const packed = upstreamTarball(paths, await specsOf(source));
  if (packed !== undefined) {
    throw new BuildProblem(
      `${printable(packed)} is an upstream tarball: commit the unpacked tree instead, the tarball is generated from it`,
    );
  }
  await refusePointers({ directory, names, gitDir });
  return source;
}

/** Ruby has files of that name, too. */
async function specsOf(source: Source): Promise<string[]> {
  const specs: string[] = [];
  for (const path of source.paths.filter((each) => each.endsWith('.spec'))) {
    const text = await readSourceFile(source, path);
    if (text !== null && parseSpecHead(text) !== null) specs.push(path);
  }
  return specs;
}

async function moveHistory(directory: string): Promise<string | null> {
  const inside = join(directory, '.git');
  const found = await lstat(inside).catch(() => null);
  if (!found?.isDirectory()) return null;
  await rename(inside, `${directory}.git`);
  return `${directory}.git`;
}

async function listFiles(root: string, folder: Buffer): Promise<Buffer[]> {
  const entries = await readdir(inside(root, folder), { withFileTypes: true, encoding: 'buffer' });
  const found = await Promise.all(
    entries.map((entry) => {
      const path = folder.length === 0 ? entry.name : Buffer.concat([folder, Buffer.from('/'), entry.name]);
      if (path.equals(Buffer.from('.git'))) return [];
      return entry.isDirectory() ? listFiles(root, path) : [path];
    }),
  );
  return found.flat();
}

/** Reads a text file of the tree; null when it is absent, or reached through a link that leaves the tree. */
export async function readSourceFile(source: Source, path: string): Promise<string | null> {
  return (await readSourceBytes(source, path))?.toString() ?? null;
}

/** The same, as it is: not every old text is UTF-8. */
export async function readSourceBytes(source: Source, path: string): Promise<Buffer | null> {
  const place = await follow(source.directory, path);
  if (place.at !== 'tree') return null;
  const file = join(source.directory, place.path);
  return (await lstat(file)).isFile() ? readFile(file) : null;
}

/**
 * Where a file of the tree is when links are followed: in the tree, and in the commit.
 *
 * @throws BuildProblem when it is not there, with `absence`, or out of the tree.
 */
export async function locate(source: Source, path: string, absence: string): Promise<Located> {
  const place = await follow(source.directory, path);
  if (place.at === 'outside') throw outOfTree(place.link);
  if (place.at === 'nowhere') throw new BuildProblem(absence);
  const { debian } = source;
  const committed = debian !== null && place.path.startsWith('debian/') ? debian + place.path.slice(6) : place.path;
  return { path: place.path, committed };
}

/** What is said of a link that the build would have to read through. */
export function outOfTree(link: string): BuildProblem {
  return new BuildProblem(`${printable(link)} is a link that leads out of the tree: commit what it stands for`);
}

/** Paths of one file. */
export interface Located {
  readonly path: string;
  readonly committed: string;
}

/** A name from outside as it may stand in a message: on one line, without control characters. */
export function printable(name: string): string {
  return /^[\w./+~@^:-]+$/.test(name) ? name : JSON.stringify(name);
}
