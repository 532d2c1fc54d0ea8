import { createWriteStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type LfsObject, type LfsPointer, readLfsPointer } from '../../pipelines/model/lfs.ts';
import { git, tryGit } from './git.ts';

/** Sees to it that objects of a project are in storage, under their own digests. */
export type BringObjects = (wanted: WantedObjects, signal?: AbortSignal) => Promise<void>;

export interface WantedObjects {
  readonly project: string;
  /** The commit that has pointers to them. */
  readonly commit: string;
  readonly objects: readonly LfsObject[];
}

/** Bytes of a pointer at most. */
const longest = 1024;

/** The files of a checked-out copy that `.gitattributes` gives to Git LFS, and that are pointers. */
export async function lfsPointers(directory: string): Promise<readonly LfsPointer[]> {
  if ((await search(directory, 'filter=lfs', [':(glob)**/.gitattributes'])).length === 0) return [];
  const found = await search(directory, 'version https://git-lfs.github.com/spec/v1', []);
  if (found.length === 0) return [];
  const input = Buffer.from(found.map((path) => `${path}\0`).join(''), 'latin1');
  const asked = ['check-attr', '--cached', '-z', '--stdin', 'filter'];
  const answers = await git(join(directory, '.git'), asked, { input, cwd: directory, encoding: 'latin1' });
  const filters = answers.split('\0');
  const pointers = found.filter((_, at) => filters[at * 3 + 2] === 'lfs').map((path) => pointerAt(directory, path));
  return (await Promise.all(pointers)).flatMap((pointer) => pointer ?? []);
}

/** Paths of the files that have a text in them, a character for each byte. */
async function search(directory: string, text: string, paths: readonly string[]): Promise<readonly string[]> {
  const args = ['grep', '--cached', '-z', '-l', '-a', '--fixed-strings', '-e', text, '--', ...paths];
  const options = { cwd: directory, env: { GIT_WORK_TREE: directory }, encoding: 'latin1' } as const;
  const { code, stdout, stderr } = await tryGit(join(directory, '.git'), args, options);
  // 1: none.
  if (code > 1) throw new Error(`git grep: ${stderr.trim()}`);
  return stdout.split('\0').filter((path) => path !== '');
}

async function pointerAt(directory: string, path: string): Promise<LfsPointer | null> {
  const file = placeOf(directory, path);
  const info = await lstat(file);
  const object = info.isFile() && info.size <= longest ? readLfsPointer(await readFile(file, 'latin1')) : null;
  return object === null ? null : { ...object, path };
}

/** Puts content in the place of pointers; each file stays as executable as it is. */
export async function fillPointers(
  directory: string,
  pointers: readonly LfsPointer[],
  open: (digest: string) => Promise<Readable>,
): Promise<void> {
  for (const { oid, path } of pointers) {
    await pipeline(await open(`sha256:${oid}`), createWriteStream(placeOf(directory, path)));
  }
}

function placeOf(directory: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')]);
}
