import { link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { leavingPath } from './blob-store.ts';

/**
 * Removes one blob unless it was used since it was looked at. It is moved away first and looked at once more there:
 * whoever puts the same content meanwhile either marked the file before, and it goes back, or finds none, and places
 * its own.
 *
 * @param touched the modification time that it had, milliseconds since the epoch.
 * @returns false when it stays, or was gone.
 */
export async function removeBlob(storage: string, path: string, touched: number): Promise<boolean> {
  const leaving = leavingPath(storage, `${basename(dirname(path))}${basename(path)}`);
  await mkdir(dirname(leaving), { recursive: true });
  const moved = await rename(path, leaving).then(() => true, ignoreMissing);
  if (!moved) return false;
  const used = (await stat(leaving)).mtimeMs > touched;
  if (used) await bringBack(leaving, path);
  await rm(leaving, { force: true });
  return !used;
}

/** Brings back what a killed prune had moved away: the next look decides anew. For the only one that removes. */
export async function bringBackLeft(storage: string): Promise<void> {
  const directory = dirname(leavingPath(storage, 'x'));
  for (const digits of await readdir(directory).catch(() => [])) {
    const leaving = join(directory, digits);
    await bringBack(leaving, join(storage, 'blobs', 'sha256', digits.slice(0, 2), digits.slice(2)));
    await rm(leaving, { force: true });
  }
}

async function bringBack(leaving: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await link(leaving, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): false {
  if (error.code !== 'ENOENT') throw error;
  return false;
}
