import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files/exists.ts';
import { type IndexSigner, publicKeyFile, type RepositoryFormat, type RepositorySettings } from './port.ts';

/** The signatures of a root index and the key that checks them. */
export interface IndexSignatures {
  readonly detached: string;
  readonly clear: string;
  readonly publicKey: string;
}

/** A signed repository carries its key. */
export function isSigned(tree: string): Promise<boolean> {
  return exists(join(tree, publicKeyFile));
}

/** Signs the root index of a tree that is not shown yet. */
export async function signTree(
  format: RepositoryFormat,
  tree: string,
  { settings, signer }: { readonly settings: RepositorySettings; readonly signer: Omit<IndexSigner, 'package'> },
): Promise<void> {
  const text = await readFile(join(tree, format.rootIndex(settings)), 'utf8');
  const [detached, clear, publicKey] = await Promise.all([
    signer.detach(text),
    format.signatures(settings).clear === null ? '' : signer.clear(text),
    signer.publicKey(),
  ]);
  await writeSignatures(format, tree, { settings, signatures: { detached, clear, publicKey } });
}

/** Puts signatures that were made elsewhere into a tree that is not shown yet. */
export async function writeSignatures(
  format: RepositoryFormat,
  tree: string,
  { settings, signatures }: { readonly settings: RepositorySettings; readonly signatures: IndexSignatures },
): Promise<void> {
  const places = format.signatures(settings);
  await writeFile(join(tree, places.detached), signatures.detached);
  if (places.clear !== null) await writeFile(join(tree, places.clear), signatures.clear);
  const keys = [publicKeyFile, ...(format.keyBesideIndex === undefined ? [] : [format.keyBesideIndex])];
  for (const name of keys) await writeFile(join(tree, name), signatures.publicKey);
}
