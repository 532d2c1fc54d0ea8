import { readFile, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzipSync, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { writeWhole } from '../files/write.ts';

/**
 * Reads what `writePacked` wrote, or an older version of it with gzip; null where there is nothing. Of two the newer one
 * counts: an older version that was used again does not see ours.
 */
export async function readPacked<T>(path: string): Promise<T | null> {
  const found = await Promise.all([`${path}.zst`, `${path}.gz`].map(readIfThere));
  const [first] = found.filter((one) => one !== null).sort((one, other) => other.time - one.time);
  if (first === undefined) return null;
  const { bytes } = first;
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : zstdDecompressSync(bytes);
  return JSON.parse(text.toString()) as T;
}

const compressed = promisify<string, Buffer>(zstdCompress);

/** Keeps what names every file of a repository: mostly the same letters again and again. */
export async function writePacked(path: string, value: unknown): Promise<void> {
  await writeWhole(`${path}.zst`, await compressed(JSON.stringify(value)));
  await rm(`${path}.gz`, { force: true });
}

async function readIfThere(path: string): Promise<{ readonly bytes: Buffer; readonly time: number } | null> {
  try {
    return { bytes: await readFile(path), time: (await stat(path)).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
