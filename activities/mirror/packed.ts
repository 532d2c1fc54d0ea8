import { readFile, rm, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzipSync, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { writeWhole } from '../files/write.ts';

/**
 * Reads what `writePacked` wrote, or an older version of it with gzip; null where there is nothing. Of two the newer one
 * counts: an older version that was used again does not see ours.
 */
export async function readPacked<T>(path: string): Promise<T | null> {
  const bytes = await newestBytes(path);
  return bytes === null ? null : unpacked<T>(bytes);
}

const compressed = promisify<string, Buffer>(zstdCompress);

/** Keeps what names every file of a repository: mostly the same letters again and again. */
export async function writePacked(path: string, value: unknown): Promise<void> {
  await writeBytes(path, await compressed(JSON.stringify(value)));
}

/** Files of which several have the same content. */
export interface Packed<T> {
  /** @returns the very same value for the same content as the last time. */
  read(path: string): Promise<T | null>;
  /** Packs a value once that is written several times, one after the other or at the same time. */
  write(path: string, value: T): Promise<void>;
}

/** Reads and writes as `readPacked` and `writePacked` do; values are not changed by whoever has them. */
export function openPacked<T>(): Packed<T> {
  let last: { readonly bytes: Buffer; readonly value: T } | null = null;
  let written: { readonly value: T; readonly bytes: Promise<Buffer> } | null = null;
  return {
    read: async (path) => {
      const bytes = await newestBytes(path);
      if (bytes === null) return null;
      if (last?.bytes.equals(bytes) !== true) last = { bytes, value: unpacked<T>(bytes) };
      return last.value;
    },
    write: async (path, value) => {
      if (written?.value !== value) written = { value, bytes: compressed(JSON.stringify(value)) };
      await writeBytes(path, await written.bytes);
    },
  };
}

async function newestBytes(path: string): Promise<Buffer | null> {
  const found = await Promise.all([`${path}.zst`, `${path}.gz`].map(readIfThere));
  const [first] = found.filter((one) => one !== null).sort((one, other) => other.time - one.time);
  return first?.bytes ?? null;
}

function unpacked<T>(bytes: Buffer): T {
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : zstdDecompressSync(bytes);
  return JSON.parse(text.toString()) as T;
}

async function writeBytes(path: string, bytes: Buffer): Promise<void> {
  await writeWhole(`${path}.zst`, bytes);
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
