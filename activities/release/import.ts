import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporary } from '../process/temporary.ts';
import type { ReleaseDeps } from './port.ts';

/** Copies content from the signer's directory into our storage. @throws when it is not what the digest says. */
export async function importBlob({ store, signed }: ReleaseDeps, digest: string): Promise<void> {
  if (await store.has(digest)) return;
  const work = await makeTemporary('sluice-import');
  try {
    const path = join(work, 'content');
    await signed.fetch(digest, path);
    const found = await store.put({ path });
    if (found.digest !== digest) throw new Error(`the signer shows ${found.digest} where ${digest} should be`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
