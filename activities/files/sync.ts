import { open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** File systems that cannot wait for a directory say one of these: they have no need, or no way. */
const cannot = new Set(['EINVAL', 'ENOTSUP', 'EISDIR']);

/** Waits until the disk has the file's content, or a directory's entries. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!cannot.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Waits until the disk has the name of a file: the entry in its directory. */
export function syncName(path: string): Promise<void> {
  return sync(dirname(path));
}

/** How many files are waited for at once: the disk writes them together. */
const together = 32;

/**
 * Waits until the disk has a tree, all files and directories of it; links are entries of their directories.
 *
 * @param before a tree that was waited for already: what the new one shares with it need not be waited for again.
 */
export async function syncTree(root: string, before: string | null = null): Promise<void> {
  const known = new Set(before === null ? [] : (await filesBelow(before)).map(({ inode }) => inode));
  const files = (await filesBelow(root)).filter(({ inode }) => !known.has(inode)).map(({ path }) => path);
  const directories = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  await inLots([...files, ...directories, root], sync);
}

async function filesBelow(root: string): Promise<readonly { readonly path: string; readonly inode: number }[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return inLots(paths, async (path) => ({ path, inode: (await stat(path)).ino }));
}

async function inLots<T>(paths: readonly string[], work: (path: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < paths.length; at += together) {
    done.push(...(await Promise.all(paths.slice(at, at + together).map(work))));
  }
  return done;
}
