import { join } from 'node:path';
import type { BlobStore } from '../../activities/ports.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import type { BlobIntake } from '../../activities/storage/port.ts';
import type { DataPaths } from '../stack/paths.ts';
import type { PayloadStore } from '../temporal/payloads.ts';

/** Apart from artifacts, for `sluice prune` keeps them by a rule of their own. */
const below = 'payloads';

/** Large payloads of all processes but the signer, which only reads them. */
export function payloadStore({ storage, publicKeys }: DataPaths) {
  return writing(storage, publicKeys);
}

/** Those of the signer: it writes where it shows what it has signed, and others only read. */
export function signersPayloads({ storage, publicKeys }: DataPaths): PayloadStore {
  return writing(publicKeys, storage);
}

function writing(own: string, other: string): PayloadStore & Pick<BlobStore, 'find'> & BlobIntake {
  const [first, second] = [own, other].map((root) => createFileBlobStore({ root: join(root, below), baseUrl: '' }));
  if (!first || !second) throw new Error('no place for payloads');
  return {
    put: (content) => first.put(content),
    read: async (digest) => ((await first.has(digest)) ? first : second).read(digest),
    find: async (digest) => (await first.find(digest)) ?? second.find(digest),
    take: first.take,
  };
}
