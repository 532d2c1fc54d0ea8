import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobRef, digestSchema, type PackageFile } from '../../pipelines/model/artifact.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import { keep } from './ledger.ts';
import type { RepositorySigner } from './repository-signers.ts';

/** What was made of a file, and what the signer found it to be. */
export interface SignedRecord extends BlobRef {
  /** Absent where it was signed before identities were looked at. */
  readonly identity?: string;
  /** Fingerprint of the key whose signature it was given; absent where it was given none, or that was not noted. */
  readonly key?: string;
}

/** What a package file is, whatever its content. */
export function identityOf({ name, package: called, version, arch }: PackageFile): string {
  return JSON.stringify([name, called, version, arch]);
}

/** What a file became for a repository: signed by one that the clients of that repository believe. Null: nothing yet. */
export async function readSigned(
  home: string,
  digest: string,
  by: Pick<RepositorySigner, 'keys' | 'own'>,
): Promise<SignedRecord | null> {
  for (const path of pathsOf(home, digest, by)) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return parseRecord(path, text);
  }
  return null;
}

function parseRecord(path: string, text: string): SignedRecord {
  try {
    return JSON.parse(text) as SignedRecord;
  } catch {
    throw new RepositoryRefusal(`${path} is damaged: remove it, and release again, which signs the file anew`);
  }
}

export async function keepSigned(
  home: string,
  digest: string,
  { by, ...record }: SignedRecord & { readonly by: Pick<RepositorySigner, 'keys' | 'own'> },
): Promise<void> {
  const [path = ''] = pathsOf(home, digest, by);
  await keep(path, JSON.stringify(record));
}

/** Where that is noted: with keys of its own, a repository gets nothing that another key has signed. */
function pathsOf(home: string, digest: string, { keys, own }: Pick<RepositorySigner, 'keys' | 'own'>) {
  const path = join(home, 'signed', digestSchema.parse(digest).replace('sha256:', ''));
  return own ? keys.shown.map((key) => `${path}.${key}`) : [path];
}
