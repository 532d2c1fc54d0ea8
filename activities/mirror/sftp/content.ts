import { type FileHandle, open } from 'node:fs/promises';
import { settleAll } from '../settle.ts';
import type { Facts, Remote, RemoteFile } from './remote.ts';

/** Bytes of one request, and how many of them are under way for one file. */
const chunk = 64 * 1024;
const ahead = 8;

/** Writes a file of this machine to a path where it may stand in parts until this is done. */
export async function upload(
  remote: Remote,
  [here, there]: readonly [here: string, there: string],
  { flags, ...facts }: Facts & { readonly flags: 'w' | 'wx' },
): Promise<void> {
  await withFiles(remote, { here: await open(here), there, flags }, async (local, file) => {
    for await (const parts of partsOf((buffer, position) => readHere(local, buffer, position))) {
      // A write that comes after the file is closed would go to another one.
      await settleAll(
        parts.map(async ({ data, position }) => {
          await remote.pace(data.length);
          await file.write(data, position);
        }),
      );
    }
    await file.set(facts);
  });
}

/** Writes a file of the mirror to a path here. */
export async function download(remote: Remote, there: string, here: string): Promise<void> {
  await withFiles(remote, { here: await open(here, 'wx'), there, flags: 'r' }, async (local, file) => {
    for await (const parts of partsOf((buffer, position) => readThere(remote, file, { buffer, position }))) {
      for (const { data, position } of parts) await local.write(data, 0, data.length, position);
    }
  });
}

/** Whether a file here and one there hold the same bytes: it is read back as a whole. */
export async function sameContent(remote: Remote, here: string, there: string): Promise<boolean> {
  return withFiles(remote, { here: await open(here), there, flags: 'r' }, async (local, file) => {
    for await (const parts of partsOf((buffer, position) => readThere(remote, file, { buffer, position }))) {
      for (const { data, position } of parts) {
        const own = Buffer.alloc(data.length);
        if ((await readHere(local, own, position)) < own.length || !own.equals(data)) return false;
      }
    }
    return true;
  });
}

/** Small texts wait for no packages that are sent meanwhile: the lock is among them. */
const unpaced: Pick<Remote, 'pace'> = { pace: async () => {} };

/** A small text of the mirror, a link followed. */
export async function readText(remote: Remote, there: string): Promise<string | null> {
  const file = await remote.open(there, 'r');
  try {
    if ((await file.facts()).kind !== 'file') return null;
    const texts: Buffer[] = [];
    for await (const parts of partsOf((buffer, position) => readThere(unpaced, file, { buffer, position }))) {
      texts.push(...parts.map(({ data }) => data));
    }
    return Buffer.concat(texts).toString('utf8');
  } finally {
    await file.close();
  }
}

/** Writes a small text. @param flags `wx` where nothing may stand yet */
export async function writeText(
  remote: Remote,
  there: string,
  { text, flags }: { readonly text: string; readonly flags: 'w' | 'wx' },
): Promise<void> {
  const file = await remote.open(there, flags);
  try {
    if (text !== '') await file.write(Buffer.from(text), 0);
    await file.set({ mode: 0o644 });
  } finally {
    await file.close();
  }
}

interface Ends {
  readonly here: FileHandle;
  readonly there: string;
  readonly flags: 'r' | 'w' | 'wx';
}

async function withFiles<T>(
  remote: Remote,
  { here, there, flags }: Ends,
  work: (local: FileHandle, file: RemoteFile) => Promise<T>,
): Promise<T> {
  try {
    const file = await remote.open(there, flags);
    try {
      return await work(here, file);
    } finally {
      await file.close();
    }
  } finally {
    await here.close();
  }
}

interface Part {
  readonly data: Buffer;
  readonly position: number;
}

/** The parts of a file, so many at a time as may be under way. @param read fills a buffer as far as the file goes. */
async function* partsOf(read: (buffer: Buffer, position: number) => Promise<number>): AsyncGenerator<Part[]> {
  for (let begin = 0, many = 1; ; many = ahead) {
    // Most files end with their first part.
    const positions = Array.from({ length: many }, (_, nth) => begin + nth * chunk);
    const parts = await Promise.all(
      positions.map(async (position) => {
        const buffer = Buffer.allocUnsafe(chunk);
        return { data: buffer.subarray(0, await read(buffer, position)), position };
      }),
    );
    yield parts.filter(({ data }) => data.length > 0);
    if (parts.some(({ data }) => data.length < chunk)) return;
    begin += many * chunk;
  }
}

async function readHere(local: FileHandle, buffer: Buffer, position: number): Promise<number> {
  for (let filled = 0; ; ) {
    const { bytesRead } = await local.read(buffer, filled, buffer.length - filled, position + filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === buffer.length) return filled;
  }
}

async function readThere(
  remote: Pick<Remote, 'pace'>,
  file: RemoteFile,
  { buffer, position }: { readonly buffer: Buffer; readonly position: number },
): Promise<number> {
  for (let filled = 0; ; ) {
    const came = await file.read(buffer, filled, position + filled);
    await remote.pace(came);
    filled += came;
    if (came === 0 || filled === buffer.length) return filled;
  }
}
