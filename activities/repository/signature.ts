import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files/exists.ts';
import {
  type IndexSigner,
  publicKeyFile,
  type RepositoryFormat,
  RepositoryRefusal,
  type RepositorySettings,
  type SignedRoot,
} from './port.ts';

/** The signatures of one root index. */
export interface IndexSignatures {
  readonly detached: string;
  readonly clear: string;
}

/** A signed repository carries its key. */
export function isSigned(tree: string): Promise<boolean> {
  return exists(join(tree, publicKeyFile));
}

/** Signs the root indexes of a tree that is not shown yet. */
export async function signTree(
  format: RepositoryFormat,
  tree: string,
  { settings, signer }: { readonly settings: RepositorySettings; readonly signer: Omit<IndexSigner, 'package'> },
): Promise<void> {
  const signed = format.signedRoots(settings).map(async ({ root, clear: place }): Promise<IndexSignatures> => {
    const text = await readFile(join(tree, root), 'utf8');
    const [detached, clear] = await Promise.all([signer.detach(text), place === null ? '' : signer.clear(text)]);
    return { detached, clear };
  });
  const [publicKey, signatures] = await Promise.all([signer.publicKey(), Promise.all(signed)]);
  await writeSignatures(tree, format.signedRoots(settings), { publicKey, signatures });
}

/**
 * Puts signatures that were made elsewhere into a tree that is not shown yet.
 *
 * @param made the signatures, in the order of the roots, and the key that checks them
 * @throws RepositoryRefusal where there are not as many as roots
 */
export async function writeSignatures(
  tree: string,
  roots: readonly SignedRoot[],
  { publicKey, signatures }: { readonly publicKey: string; readonly signatures: readonly IndexSignatures[] },
): Promise<void> {
  if (signatures.length !== roots.length) {
    const mend = 'restart the signer, which is of another version';
    throw new RepositoryRefusal(`${signatures.length} of ${roots.length} indexes were signed: ${mend}`);
  }
  await writeFile(join(tree, publicKeyFile), publicKey);
  for (const [position, { detached, clear, key }] of roots.entries()) {
    const made = signatures[position];
    await writeFile(join(tree, detached), made?.detached ?? '');
    if (clear !== null) await writeFile(join(tree, clear), made?.clear ?? '');
    if (key !== null) await writeFile(join(tree, key), publicKey);
  }
}
