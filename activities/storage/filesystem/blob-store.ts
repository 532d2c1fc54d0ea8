import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, chmod, copyFile, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BlobRef, digestSchema } from '../../../pipelines/model/artifact.ts';
import type { BlobStore } from '../../ports.ts';

export interface FileStorageOptions {
  /** The directory below which everything is kept; made when absent. */
  readonly root: string;
  /** Where the server is reached, without a slash at the end. */
  readonly baseUrl: string;
}

/** There is no content of this digest in the store. */
export class NoSuchBlob extends Error {
  constructor(digest: string) {
    super(`no content ${digest} in artifact storage`);
    this.name = 'NoSuchBlob';
  }
}

/** Errors of `link` after which a copy serves as well: another file system, too many links, not supported. */
const unlinkable = new Set(['EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP']);

/**
 * Content-addressed storage in a directory: `blobs/sha256/AB/REST`, each written to `blobs/incoming/` and renamed,
 * so that a killed process or a full disk leaves no half content behind. Files are read-only: hard links share them.
 */
export function createFileBlobStore(options: FileStorageOptions): BlobStore {
  const blobs = join(options.root, 'blobs');
  const path = (digest: string) => blobPath(options.root, digest);
  return {
    put: (content) => putBlob(blobs, content),
    open: async (digest) => known(digest, path(digest), async (file) => (await open(file)).createReadStream()),
    read: async (digest) => known(digest, path(digest), (file) => readFile(file)),
    has: async (digest) => exists(path(digest)),
    fetch: async (digest, to) => known(digest, path(digest), (file) => place(file, to)),
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

function hex(digest: string): string {
  return digestSchema.parse(digest).slice('sha256:'.length);
}

async function putBlob(blobs: string, content: Parameters<BlobStore['put']>[0]): Promise<BlobRef> {
  const incoming = join(blobs, 'incoming', randomUUID());
  await mkdir(dirname(incoming), { recursive: true });
  try {
    const ref = await writeHashed(content, incoming);
    const final = blobPath(dirname(blobs), ref.digest);
    if (await exists(final)) return ref;
    await mkdir(dirname(final), { recursive: true });
    await chmod(incoming, 0o444);
    await rename(incoming, final);
    return ref;
  } finally {
    await rm(incoming, { force: true });
  }
}

/** Writes and hashes in one pass, and waits until the disk has it. */
async function writeHashed(content: Parameters<BlobStore['put']>[0], path: string): Promise<BlobRef> {
  const hash = createHash('sha256');
  let size = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  await pipeline(source(content), count, createWriteStream(path, { flags: 'wx', flush: true }));
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function source(content: Parameters<BlobStore['put']>[0]): Readable {
  if (typeof content === 'object' && 'path' in content) return createReadStream(content.path);
  return Readable.from([Buffer.from(content as Uint8Array)]);
}

async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!unlinkable.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(from, to);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Runs `work` on the content at `path`; the system's "no such file" about the content becomes `NoSuchBlob`. */
async function known<T>(digest: string, path: string, work: (path: string) => Promise<T>): Promise<T> {
  try {
    return await work(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !(await exists(path))) throw new NoSuchBlob(digest);
    throw error;
  }
}
