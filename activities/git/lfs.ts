import { createWriteStream } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type LfsPointer, readLfsPointer } from '../../pipelines/model/lfs.ts';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import { git, tryGit } from './git.ts';

/** Sees to it that objects of a project are in storage, under their own digests. */
export type BringObjects = (wanted: WantedObjects, signal?: AbortSignal) => Promise<void>;

export interface WantedObjects {
  readonly project: string;
  /** The commit that has pointers to them, itself or in a submodule. */
  readonly commit: string;
  /** The submodule's path in the whole tree; absent: the pointers are the project's own. */
  readonly module?: string | undefined;
  /** Each with a place where it is wanted. */
  readonly objects: readonly LfsPointer[];
}

/** Bytes of a pointer at most. */
const longest = 1024;

/** The files of a checked-out copy that `.gitattributes` gives to Git LFS, and that are pointers. */
export async function lfsPointers(directory: string): Promise<readonly LfsPointer[]> {
  return pointersIn({ directory, tree: directory, where: ['--cached'], env: {}, except: [] });
}

/**
 * The same of a submodule that is checked out in a copy, whose index does not have it: its files are looked into.
 *
 * @param modules all that are there, for those in it are not of it
 * @returns paths in the whole copy
 */
export async function modulePointers(
  directory: string,
  { path }: Pick<Submodule, 'path'>,
  modules: readonly Pick<Submodule, 'path'>[],
): Promise<readonly LfsPointer[]> {
  const inside = modules.filter((other) => other.path.startsWith(`${path}/`));
  const prefix = Buffer.from(`${path}/`).toString('latin1');
  const found = await pointersIn({
    ...{ directory, tree: join(directory, path), where: [] },
    // An index that is not there: attributes are read of the files alone.
    env: { GIT_INDEX_FILE: join(directory, '.git', 'no-index') },
    except: inside.map((other) => `:(exclude,literal)${other.path.slice(path.length + 1)}`),
  });
  return found.map((pointer) => ({ ...pointer, path: `${prefix}${pointer.path}` }));
}

interface Copy {
  /** Of the repository. */
  readonly directory: string;
  /** Where the files are. */
  readonly tree: string;
  /** What is read: `--cached` for the index; nothing for the files themselves. */
  readonly where: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Paths that are not looked into, as git takes them. */
  readonly except: readonly string[];
}

async function pointersIn(copy: Copy): Promise<readonly LfsPointer[]> {
  if ((await search(copy, 'filter=lfs', [':(glob)**/.gitattributes'])).length === 0) return [];
  const found = await search(copy, 'version https://git-lfs.github.com/spec/v1', []);
  if (found.length === 0) return [];
  const { directory, tree, where, env } = copy;
  const input = Buffer.from(found.map((path) => `${path}\0`).join(''), 'latin1');
  const asked = ['check-attr', ...where, '-z', '--stdin', 'filter'];
  const options = { input, cwd: tree, env: { GIT_WORK_TREE: tree, ...env }, encoding: 'latin1' } as const;
  const filters = (await git(join(directory, '.git'), asked, options)).split('\0');
  const pointers = found.filter((_, at) => filters[at * 3 + 2] === 'lfs').map((path) => pointerAt(tree, path));
  return (await Promise.all(pointers)).flatMap((pointer) => pointer ?? []);
}

/** Paths of the files that have a text in them, a character for each byte. */
async function search(copy: Copy, text: string, paths: readonly string[]): Promise<readonly string[]> {
  const { directory, tree, where, env, except } = copy;
  const from = where.length > 0 ? where : ['--no-index'];
  const args = ['grep', ...from, '-z', '-l', '-a', '--fixed-strings', '-e', text, '--', ...paths, ...except];
  const options = { cwd: tree, env: { GIT_WORK_TREE: tree, ...env }, encoding: 'latin1' } as const;
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
