import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * A stream into a new file. The file is there at once: one that a stream opens by itself may come to be after whoever was
 * to write it has failed, and has removed it.
 *
 * @throws EEXIST where there is one
 */
export async function openNewFile(path: string): Promise<Writable> {
  return (await open(path, 'wx')).createWriteStream();
}
