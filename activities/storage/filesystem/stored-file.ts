import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { StoredFile } from '../port.ts';

/** Opens a regular file, or a link to one; null when there is none. */
export async function openStored(path: string): Promise<StoredFile | null> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (handle === null) return null;
  const found = await handle.stat();
  if (found.isFile()) return stored(handle, found.size);
  await handle.close();
  return null;
}

function stored(handle: FileHandle, size: number): StoredFile {
  return {
    size,
    close: () => handle.close(),
    read: (range = { start: 0, end: size - 1 }) => {
      if (range.end >= range.start) return handle.createReadStream(range);
      void handle.close();
      return Readable.from([]);
    },
  };
}
