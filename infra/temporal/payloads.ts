import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { asyncLocalStorage } from '@temporalio/activity';
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import type { BlobStore } from '../../activities/ports.ts';
import { type BlobRef, digestSchema } from '../../pipelines/model/artifact.ts';

/** Bytes above which a payload travels by its digest: Temporal refuses messages of 4 MiB and values of 2 MiB. */
const limit = 32 * 1024;

/** A reference is shorter than that, also when somebody has copied it by hand. */
const longestReference = 512;

const mark = 'sluicePayload';

/** Where large payloads are kept: every process can read what any of them has put. */
export interface PayloadStore extends Pick<BlobStore, 'read'> {
  /** @param workflow id of the workflow that it is of, where that is known */
  put(content: Uint8Array, workflow?: string): Promise<BlobRef>;
}

/**
 * Large payloads are kept compressed in artifact storage and travel as a reference: JSON that Temporal's page shows, and
 * that stands for the content when somebody starts a workflow from there.
 */
export function createClaimCheck(store: PayloadStore): PayloadCodec {
  return {
    encode: (payloads, context) =>
      Promise.all(payloads.map((one) => (staysHere(one, context) ? one : keep(store, one, context?.workflowId)))),
    decode: (payloads) => Promise.all(payloads.map((one) => fetch(store, one))),
  };
}

/** For clients and workers: all that speak with Temporal must have it. */
export function payloadsBy(store: PayloadStore | undefined): DataConverter {
  return store === undefined ? {} : { payloadCodecs: [createClaimCheck(store)] };
}

/** What a workflow hands to a local activity stays in the process; what that answers is kept in the history. */
function staysHere({ data }: Payload, context: SerializationContext | undefined): boolean {
  if ((data?.length ?? 0) <= limit) return true;
  return context?.type === 'activity' && context.isLocal && asyncLocalStorage.getStore() === undefined;
}

async function keep(store: PayloadStore, { metadata, data }: Payload, workflow: string | undefined): Promise<Payload> {
  const content = data ?? new Uint8Array();
  const { digest } = await store.put(await promisify(gzip)(content, { level: 1 }), workflow);
  const texts = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString()]);
  const reference = { [mark]: digest, size: content.length, metadata: Object.fromEntries(texts) };
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(reference)) };
}

async function fetch(store: PayloadStore, payload: Payload): Promise<Payload> {
  const reference = readReference(payload);
  if (!reference) return payload;
  const metadata = Object.entries(reference.metadata).map(([name, value]) => [name, Buffer.from(value)] as const);
  const content = await promisify(gunzip)(await store.read(reference.digest));
  return { metadata: Object.fromEntries(metadata), data: content };
}

interface Reference {
  readonly digest: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function readReference({ data }: Payload): Reference | undefined {
  if (!data || data.length > longestReference) return undefined;
  const text = Buffer.from(data).toString();
  if (!text.includes(mark)) return undefined;
  try {
    const { [mark]: digest, metadata } = JSON.parse(text);
    return digestSchema.safeParse(digest).success ? { digest, metadata } : undefined;
  } catch {
    return undefined;
  }
}
