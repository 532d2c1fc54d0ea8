import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { hashing } from '../../files/digest.ts';
import { openNewFile } from '../../files/new-file.ts';
import type { StoredFile } from '../port.ts';
import type { ServerClient } from './client.ts';

/** What an answer brings. */
export function bodyOf({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body as ReadableStream);
}

/**
 * Writes an answer to a new file, and nothing where it does not come whole.
 *
 * @param digest what it must be; undefined: whatever it is
 */
export async function writeAnswer(answer: Response, to: string, digest?: string): Promise<void> {
  const file = await openNewFile(to).catch(async (error) => {
    await answer.body?.cancel();
    throw error;
  });
  const hash = createHash('sha256');
  try {
    await pipeline(bodyOf(answer), hashing(hash), file);
    const is = `sha256:${hash.digest('hex')}`;
    if (digest !== undefined && is !== digest) throw new Error(`the server gives ${is} in place of ${digest}`);
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}

/** A file of the server: its parts are asked for when they are read. Null where there is none. */
export async function openAt(server: ServerClient, path: string): Promise<StoredFile | null> {
  const head = await server.ask(path, { method: 'HEAD' });
  if (head === null) return null;
  const size = Number(head.headers.get('content-length') ?? 0);
  return {
    size,
    close: async () => {},
    read: (range = { start: 0, end: size - 1 }) =>
      range.end < range.start ? Readable.from([]) : readAt(server, path, range),
  };
}

function readAt(server: ServerClient, path: string, { start, end }: { readonly start: number; readonly end: number }) {
  return Readable.from(
    (async function* () {
      const answer = await server.ask(path, { headers: { range: `bytes=${start}-${end}` } });
      if (answer === null) throw new Error(`there is nothing at ${path} any more`);
      yield* bodyOf(answer);
    })(),
  );
}
