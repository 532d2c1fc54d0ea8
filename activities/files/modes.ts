import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { chmod, copyFile, rename, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Modes of what is published: everybody reads it, and only the account that publishes writes it. */
export const published = { directory: 0o755, file: 0o644 } as const;

/**
 * Makes a directory, and those above it that are missing, for everybody to enter, whatever the umask.
 *
 * @returns false when it was there.
 */
export async function makeOpenDirectory(path: string): Promise<boolean> {
  return makeOpenDirectorySync(path);
}

/** The same for who makes thousands: a turn of the event loop for each takes longer than the directory. */
export function makeOpenDirectorySync(path: string): boolean {
  const first = mkdirSync(resolve(path), { recursive: true });
  if (first === undefined) return false;
  for (let at = resolve(path); at.length >= first.length; at = dirname(at)) chmodSync(at, published.directory);
  return true;
}

/**
 * Gives a tree that is about to be shown the modes of what is published. A file of another account, which we cannot
 * change, is replaced by a copy of our own.
 *
 * @param except directories below, relative to it, whose modes are known to be so
 */
export async function openTree(root: string, except: readonly string[] = []): Promise<void> {
  const known = new Set(except.map((path) => join(root, path)));
  const [paths, foreign] = [[root], [] as (readonly [string, NodeJS.ErrnoException])[]];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    changeMode(path, published.directory);
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inner = join(path, entry.name);
      // Links are left alone: what they lead to is not ours to change.
      if (entry.isDirectory() && !known.has(inner)) paths.push(inner);
      if (!entry.isFile()) continue;
      try {
        changeMode(inner, published.file);
      } catch (error) {
        foreign.push([inner, error as NodeJS.ErrnoException]);
      }
    }
  }
  for (const [path, error] of foreign) await replaceByCopy(path, error);
}

/** Looks first: most are as they should be. */
function changeMode(path: string, mode: number): void {
  if ((lstatSync(path).mode & 0o7777) !== mode) chmodSync(path, mode);
}

async function replaceByCopy(path: string, error: NodeJS.ErrnoException): Promise<void> {
  if (error.code !== 'EPERM') throw error;
  const { mtime } = await stat(path);
  await copyFile(path, `${path}.new`);
  await chmod(`${path}.new`, published.file);
  await utimes(`${path}.new`, mtime, mtime);
  await rename(`${path}.new`, path);
}
