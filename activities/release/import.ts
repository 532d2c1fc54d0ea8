import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../files/digest.ts';
import { makeTemporary } from '../process/temporary.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { blobPath } from '../storage/filesystem/blob-store.ts';
import { NoSuchBlob } from '../storage/no-such-blob.ts';
import type { ReleaseDeps } from './port.ts';

type Imports = Pick<ReleaseDeps, 'store' | 'signed'>;

/**
 * Copies content from the signer's directory into our storage.
 *
 * @throws RepositoryRefusal naming it where it is damaged: no other try mends that
 */
export async function importBlob({ store, signed }: Imports, digest: string): Promise<void> {
  if (await store.has(digest)) return;
  const work = await makeTemporary('sluice-import');
  try {
    const path = join(work, 'content');
    await signed.fetch(digest, path).catch(explainAbsence);
    requireSame(digest, await sha256(path), 'the directory of what is signed');
    await store.put({ path });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function explainAbsence(error: unknown): never {
  if (!(error instanceof NoSuchBlob)) throw error;
  throw new RepositoryRefusal(
    `${error.message} of what is signed (DATA/public-keys): release again, it is signed anew`,
  );
}

/** Brings a signed text, and reads it. @throws RepositoryRefusal naming it where it is damaged, here or there */
export async function readImported(deps: Imports, digest: string): Promise<string> {
  await importBlob(deps, digest);
  const content = await deps.store.read(digest);
  requireSame(digest, createHash('sha256').update(content).digest('hex'), 'storage');
  return content.toString();
}

function requireSame(digest: string, is: string, where: string): void {
  if (digest === `sha256:${is}`) return;
  const place = blobPath('', digest);
  throw new RepositoryRefusal(
    `${digest} is damaged in ${where}, where it is sha256:${is}: remove ${place} there, and release again`,
  );
}
