import { open, readdir } from 'node:fs/promises';
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

/** Waits until the disk has a tree, all files and directories of it; links are entries of their directories. */
export async function syncTree(root: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() || entry.isDirectory());
  const all = [...paths.map((entry) => join(entry.parentPath, entry.name)), root];
  for (let at = 0; at < all.length; at += together) await Promise.all(all.slice(at, at + together).map(sync));
}
