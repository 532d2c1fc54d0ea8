import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BlobRef, digestSchema } from '../../../pipelines/model/artifact.ts';
import { exists } from '../../files/exists.ts';
import { makeOpenDirectory } from '../../files/modes.ts';
import { openRegular } from '../../files/open-regular.ts';
import { sync, syncName } from '../../files/sync.ts';
import type { BlobStore } from '../../ports.ts';
import { NoSuchBlob } from '../no-such-blob.ts';
import { type BlobIntake, OtherContent, type StoredFile } from '../port.ts';
import { openStored } from './stored-file.ts';

export interface FileStorageOptions {
  /** The directory below which everything is kept; made when absent. */
  readonly root: string;
  /** Where the server is reached, without a slash at the end. */
  readonly baseUrl: string;
}

/** Errors of `link` after which a copy serves as well: another file system, too many links, not supported. */
const unlinkable = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP']);

/**
 * Content-addressed storage in a directory: `blobs/sha256/AB/REST`, each written to `blobs/incoming/` and renamed,
 * so that a killed process or a full disk leaves no half content behind. Files are read-only: hard links share them.
 * A file's modification time is when its content was last put or asked for; `prune.ts` goes by it.
 */
export function createFileBlobStore(options: FileStorageOptions): BlobStore & BlobIntake {
  const blobs = join(options.root, 'blobs');
  const at = { root: options.root };
  return {
    put: (content) => putBlob(blobs, content),
    take: async (stream, ref) => void (await putBlob(blobs, { stream, ...ref })),
    open: (digest) => found({ ...at, digest }, async (file) => (await open(file)).createReadStream()),
    find: (digest) => found({ ...at, digest }, openFound).catch(nullWithout),
    read: (digest) => used({ ...at, digest }, (file) => readFile(file)),
    has: (digest) =>
      used({ ...at, digest }, async () => true)
        .catch(nullWithout)
        .then(Boolean),
    fetch: (digest, to) => used({ ...at, digest }, (file) => place(file, to)),
    url: (digest, name) => `${options.baseUrl}/api/artifacts/${hex(digest)}/${encodeURIComponent(name)}`,
  };
}

/**
 * Where the content of a digest is kept below `root`, whether it is there or not.
 *
 * @throws when `digest` is not a digest.
 */
export function blobPath(root: string, digest: string): string {
  const digits = hex(digest);
  return join(root, 'blobs', 'sha256', digits.slice(0, 2), digits.slice(2));
}

/** Where content is while it is being removed: `prune.ts` looks at it once more there, and may bring it back. */
export function leavingPath(root: string, digits: string): string {
  return join(root, 'blobs', 'leaving', digits);
}

function hex(digest: string): string {
  return digestSchema.parse(digest).slice('sha256:'.length);
}

/** Content as it comes: whole, in a file, or from outside, which must be what it is said to be. */
type Content = Parameters<BlobStore['put']>[0] | Incoming;
type Incoming = BlobRef & { readonly stream: Readable };

async function putBlob(blobs: string, content: Content): Promise<BlobRef> {
  const incoming = join(blobs, 'incoming', randomUUID());
  await makeOpenDirectory(dirname(incoming));
  try {
    const ref = await writeHashed(content, incoming);
    const final = blobPath(dirname(blobs), ref.digest);
    if (await refresh(final)) return ref;
    const made = await makeOpenDirectory(dirname(final));
    await chmod(incoming, 0o444);
    await rename(incoming, final);
    await syncName(final);
    if (made) await sync(dirname(dirname(final)));
    return ref;
  } finally {
    await rm(incoming, { force: true });
  }
}

/** Writes and hashes in one pass, and waits until the disk has it. */
async function writeHashed(content: Content, path: string): Promise<BlobRef> {
  const { chunks, size: expected } = await source(content);
  const hash = createHash('sha256');
  let size = 0;
  const count = async function* (parts: AsyncIterable<Uint8Array>) {
    for await (const part of parts) {
      hash.update(part);
      size += part.length;
      if (size > expected) break;
      yield part;
    }
    if (size !== expected) throw changed(content, expected);
  };
  await pipeline(chunks, count, createWriteStream(path, { flags: 'wx', flush: true }));
  const digest = `sha256:${hash.digest('hex')}`;
  if (isIncoming(content) && digest !== content.digest)
    throw new OtherContent(`this is ${digest}, not ${content.digest}`);
  return { digest, size };
}

async function source(content: Content) {
  if (isIncoming(content)) return { chunks: content.stream, size: content.size };
  if (typeof content === 'object' && 'path' in content) {
    const { file, size } = await openRegular(content);
    return { chunks: file.createReadStream(), size };
  }
  const bytes = Buffer.from(content as Uint8Array);
  return { chunks: Readable.from([bytes]), size: bytes.length };
}

function changed(content: Content, expected: number): Error {
  if (isIncoming(content)) return new OtherContent(`this has not the ${expected} bytes that it was said to have`);
  return new Error(`${nameOf(content)} has changed while it was stored`);
}

function isIncoming(content: Content): content is Incoming {
  return typeof content === 'object' && 'stream' in content;
}

function nameOf(content: Content): string {
  return typeof content === 'object' && 'path' in content ? content.path : 'the content';
}

async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!unlinkable.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(from, to);
  }
}

/** Milliseconds that a time may be off: content that is asked for all the time is not marked each time. */
const roughly = 600_000;

/** Errors of `utimes` about what is gone, or belongs to another account and is for that one to keep. */
const untouchable = new Set(['ENOENT', 'EPERM', 'EACCES', 'EROFS']);

/**
 * Notes that the content is in use now: `prune.ts` looks at the time once more when it has moved a file away.
 *
 * @returns false when it is not there, not there any more, or not ours to mark.
 */
async function refresh(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (!untouchable.has(error.code ?? '')) throw error;
      return false;
    },
  );
}

interface Wanted {
  readonly root: string;
  readonly digest: string;
}

/** Like `found`, and notes that the content is in use. */
async function used<T>(wanted: Wanted, work: (path: string) => Promise<T>): Promise<T> {
  return found(wanted, async (path) => {
    if ((await stat(path)).mtimeMs < Date.now() - roughly) await refresh(path);
    return work(path);
  });
}

/**
 * Runs `work` on the content's file. What is just being removed is brought back: it is in use.
 *
 * @throws NoSuchBlob instead of the system's "no such file" about the content.
 */
async function found<T>({ root, digest }: Wanted, work: (path: string) => Promise<T>): Promise<T> {
  const path = blobPath(root, digest);
  const leaving = leavingPath(root, hex(digest));
  let missing: unknown;
  for (const place of [path, leaving, path]) {
    // Another account's storage is only read: there the content is read where it is.
    if (place === leaving) await link(leaving, path).catch(() => {});
    try {
      return await work(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      missing = error;
    }
  }
  // What is missing may be the place that it is to be brought to.
  throw (await exists(path)) ? missing : new NoSuchBlob(digest);
}

async function openFound(path: string): Promise<StoredFile> {
  const file = await openStored(path);
  if (file === null) throw Object.assign(new Error(`no file ${path}`), { code: 'ENOENT' });
  return file;
}

function nullWithout(error: unknown): null {
  if (error instanceof NoSuchBlob) return null;
  throw error;
}
