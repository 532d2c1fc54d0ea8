import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type BlobRef, digestSchema } from '../../../pipelines/model/artifact.ts';
import { openRegular } from '../../files/open-regular.ts';
import type { BlobStore, FileContent } from '../../ports.ts';
import { NoSuchBlob } from '../no-such-blob.ts';
import { must, type Question, type ServerClient } from './client.ts';
import { bodyOf, openAt, writeAnswer } from './download.ts';

export interface ServerBlobOptions {
  readonly server: ServerClient;
  /** Where people reach the server, without a slash at the end. */
  readonly baseUrl: string;
  /** Id of the build that this is done for: the server takes content of builds that this worker runs. */
  readonly build: () => string;
}

/** Artifact storage of the server, from another machine. What comes is what its digest says. */
export function createServerBlobStore({ server, baseUrl, build }: ServerBlobOptions): BlobStore {
  const ask = (digest: string) => must(server.ask(pathOf(digest)), () => new NoSuchBlob(digest));
  const has = async (digest: string) => (await server.ask(pathOf(digest), { method: 'HEAD' })) !== null;
  return {
    async put(content) {
      const opened = await open(content);
      try {
        const ref = await measure(opened);
        if (await has(ref.digest)) return ref;
        const query = new URLSearchParams({ size: String(ref.size), build: build() });
        await must(
          server.ask(`${pathOf(ref.digest)}?${query}`, upload(opened)),
          () => new Error('the server takes nothing'),
        );
        return ref;
      } finally {
        await opened.close();
      }
    },
    open: async (digest) => bodyOf(await ask(digest)),
    find: (digest) => openAt(server, pathOf(digest)),
    read: async (digest) => verified(digest, Buffer.from(await (await ask(digest)).arrayBuffer())),
    has,
    fetch: async (digest, to) => writeAnswer(await ask(digest), to, digest),
    url: (digest, name) => `${baseUrl}/api/artifacts/${hex(digest)}/${encodeURIComponent(name)}`,
  };
}

function hex(digest: string): string {
  return digestSchema.parse(digest).slice('sha256:'.length);
}

function pathOf(digest: string): string {
  return `/api/worker/blobs/${hex(digest)}`;
}

function verified(digest: string, content: Buffer): Buffer {
  const is = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  if (is !== digest) throw new Error(`the server gives ${is} in place of ${digest}`);
  return content;
}

/** Content that can be read more than once. */
interface Opened {
  readonly size: number;
  /** From the beginning. */
  read(): Readable;
  close(): Promise<void>;
}

async function open(content: Uint8Array | string | FileContent): Promise<Opened> {
  if (typeof content === 'object' && 'path' in content) {
    const { file, size } = await openRegular(content);
    // One byte more would be seen: the file has grown.
    const read = () => file.createReadStream({ start: 0, end: size, autoClose: false });
    return { size, read, close: () => file.close() };
  }
  const bytes = Buffer.from(content as Uint8Array);
  return { size: bytes.length, read: () => Readable.from([bytes]), close: async () => {} };
}

async function measure({ size: expected, read }: Opened): Promise<BlobRef> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of read()) {
    hash.update(chunk);
    size += chunk.length;
  }
  if (size !== expected) throw new Error('the content has changed while it was stored');
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function upload({ read }: Opened): Question {
  return {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: () => ({ body: Readable.toWeb(read()) as ReadableStream, duplex: 'half' }),
  };
}
