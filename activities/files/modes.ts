import type { Dirent } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, rename, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Modes of what is published: everybody reads it, and only the account that publishes writes it. */
const published = { directory: 0o755, file: 0o644 } as const;

/**
 * Makes a directory, and those above it that are missing, for everybody to enter, whatever the umask.
 *
 * @returns false when it was there.
 */
export async function makeOpenDirectory(path: string): Promise<boolean> {
  const first = await mkdir(resolve(path), { recursive: true });
  if (first === undefined) return false;
  for (let at = resolve(path); at.length >= first.length; at = dirname(at)) await chmod(at, published.directory);
  return true;
}

/**
 * Gives a tree that is about to be shown the modes of what is published. A file of another account, which we cannot
 * change, is replaced by a copy of our own.
 *
 * @param except a directory right below whose modes are known to be so
 */
export async function openTree(root: string, except?: string): Promise<void> {
  await eachBelow(root, except, async (path, entry) => {
    if (entry.isDirectory()) return changeMode(path, published.directory);
    if (entry.isFile()) return changeMode(path, published.file).catch((error) => replaceByCopy(path, error));
  });
  await changeMode(root, published.directory);
}

/** Links are left alone: what they lead to is not ours to change. */
async function eachBelow(
  root: string,
  except: string | undefined,
  visit: (path: string, entry: Dirent) => Promise<void>,
): Promise<void> {
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (entry.name === except) continue;
    const path = join(root, entry.name);
    await visit(path, entry);
    if (entry.isDirectory()) await eachBelow(path, undefined, visit);
  }
}

async function changeMode(path: string, mode: number): Promise<void> {
  if (((await lstat(path)).mode & 0o7777) !== mode) await chmod(path, mode);
}

async function replaceByCopy(path: string, error: NodeJS.ErrnoException): Promise<void> {
  if (error.code !== 'EPERM') throw error;
  const { mtime } = await stat(path);
  await copyFile(path, `${path}.new`);
  await chmod(`${path}.new`, published.file);
  await utimes(`${path}.new`, mtime, mtime);
  await rename(`${path}.new`, path);
}
