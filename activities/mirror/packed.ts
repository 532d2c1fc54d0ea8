import { readFile, rm } from 'node:fs/promises';
import { gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { writeWhole } from '../files/write.ts';

/** Reads what `writePacked` wrote, or an older version of it; null where there is nothing. */
export async function readPacked<T>(path: string): Promise<T | null> {
  const bytes = (await readIfThere(`${path}.zst`)) ?? (await readIfThere(`${path}.gz`));
  if (bytes === null) return null;
  // Older versions packed with gzip.
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : zstdDecompressSync(bytes);
  return JSON.parse(text.toString()) as T;
}

/** Keeps what names every file of a repository: mostly the same letters again and again. */
export async function writePacked(path: string, value: unknown): Promise<void> {
  await writeWhole(`${path}.zst`, zstdCompressSync(JSON.stringify(value)));
  await rm(`${path}.gz`, { force: true });
}

function readIfThere(path: string): Promise<Buffer | null> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
