import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { configurationFault } from '../../../activities/failure.ts';
import { isFull } from '../../../activities/files/write.ts';

/** Milliseconds without a byte until a connection counts as lost. */
const silence = 60_000;

/** So many connections in a row may bring nothing. */
const tries = 3;

/** What is fetched, and what it may be. */
export interface Wanted {
  readonly url: string;
  /** Bytes at most. */
  readonly maxSize: number;
  readonly signal: AbortSignal;
}

/**
 * Fetches a file, and goes on where it was interrupted: a connection that is lost, and a process that is killed, leave
 * what has come. A lost connection is followed by another, until a few have brought nothing.
 *
 * @param to where it is put; what is there is its beginning
 * @throws a Configuration failure where another try would be the same, as there is nothing, or too much; else an error:
 *   the server does not answer, or the disk is full
 */
export async function fetchFile(wanted: Wanted, to: string): Promise<void> {
  for (let idle = 0; ; ) {
    const had = await sizeOf(to);
    try {
      await fetchRest(wanted, to, had);
      return;
    } catch (error) {
      const forGood = error instanceof ApplicationFailure;
      if (forGood || isFull(error)) await rm(to, { force: true });
      if (forGood || error instanceof NotNow || wanted.signal.aborted) throw error;
      idle = (await sizeOf(to)) > had ? 0 : idle + 1;
      if (idle < tries && !isFull(error)) continue;
      throw new Error(`${shown(wanted.url)} cannot be fetched: ${reasonOf(error)}`);
    }
  }
}

/** An address as people may see it: what is asked for may be a key. */
export function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** An error that says all there is to say, though another try may end otherwise. */
class NotNow extends Error {
  override readonly name = 'NotNow';
}

async function fetchRest({ url, maxSize, signal }: Wanted, to: string, had: number): Promise<void> {
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(new Error(`nothing came for ${silence / 1000} s`)), silence);
  try {
    const headers = { 'accept-encoding': 'identity', ...(had > 0 && { range: `bytes=${had}-` }) };
    const answer = await fetch(url, { headers, signal: AbortSignal.any([signal, silent.signal]) });
    // All of it is there already: what it is, its digest says.
    if (answer.status === 416 && had > 0) return;
    if (!answer.ok) throw refused(url, answer);
    const goesOn = answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${had}-`);
    const at = goesOn ? had : 0;
    const coming = Number(answer.headers.get('content-length') ?? 0);
    const check = (size: number) => {
      if (size > maxSize) throw configurationFault(`${shown(url)} has more than the ${maxSize} bytes of \`maxSize\``);
    };
    check(at + coming);
    await requireRoom(dirname(to), coming);
    await append(answer.body ?? [], { to, at }, (size) => {
      timer.refresh();
      check(size);
    });
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}

/** @param onSize told of what is there, before more is written */
async function append(
  chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[],
  { to, at }: { readonly to: string; readonly at: number },
  onSize: (size: number) => void,
): Promise<void> {
  const file = await open(to, at === 0 ? 'w' : 'a', 0o600);
  let size = at;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      onSize(size);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function refused(url: string, { status, statusText }: Response): Error {
  const words = `${shown(url)} cannot be fetched: the server answers ${status} ${statusText}`.trimEnd();
  // A server that is overloaded, or waits for another one, may answer otherwise later.
  return status >= 500 || status === 408 || status === 429 ? new NotNow(words) : configurationFault(words);
}

/** @param bytes what is to be written in a directory @throws an error with what is lacking */
export async function requireRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (bytes > free) throw new NotNow(`there is no room in ${directory}: ${bytes} bytes are needed, ${free} are free`);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size;
}

/** What `fetch` throws has its reason inside. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message;
}
