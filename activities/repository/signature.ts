import { readFileSync, writeFileSync } from 'node:fs';
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
interface IndexSignatures {
  readonly detached: string;
  readonly clear: string;
}

/** A signed repository carries its key. */
export function isSigned(tree: string): Promise<boolean> {
  return exists(join(tree, publicKeyFile));
}

/** What is written beside the root indexes of a tree. */
export interface MadeSignatures {
  readonly publicKey: string;
  /** In the order of the roots. */
  readonly signatures: readonly IndexSignatures[];
}

interface Signing {
  readonly settings: RepositorySettings;
  readonly signer: Omit<IndexSigner, 'package'>;
}

/** Signs the root indexes of a tree that is not shown yet. */
export async function signTree(format: RepositoryFormat, tree: string, signing: Signing): Promise<void> {
  await writeSignatures(tree, format.signedRoots(signing.settings), await makeSignatures(format, tree, signing));
}

/** The signatures alone: nothing is written to the tree, to which others may still write. */
export async function makeSignatures(
  format: RepositoryFormat,
  tree: string,
  { settings, signer }: Signing,
): Promise<MadeSignatures> {
  const signed = format.signedRoots(settings).map(async ({ root, clear: place }): Promise<IndexSignatures> => {
    const text = readFileSync(join(tree, root), 'utf8');
    const [detached, clear] = await Promise.all([signer.detach(text), place === null ? '' : signer.clear(text)]);
    return { detached, clear };
  });
  const [publicKey, signatures] = await Promise.all([signer.publicKey(), Promise.all(signed)]);
  return { publicKey, signatures };
}

/**
 * Puts signatures that were made elsewhere into a tree that is not shown yet.
 *
 * @throws RepositoryRefusal where there are not as many as roots
 */
export async function writeSignatures(
  tree: string,
  roots: readonly SignedRoot[],
  { publicKey, signatures }: MadeSignatures,
): Promise<void> {
  if (signatures.length !== roots.length) {
    const mend = 'restart the signer, which is of another version';
    throw new RepositoryRefusal(`${signatures.length} of ${roots.length} indexes were signed: ${mend}`);
  }
  writeFileSync(join(tree, publicKeyFile), publicKey);
  for (const [position, { detached, clear, key }] of roots.entries()) {
    const made = signatures[position];
    writeFileSync(join(tree, detached), made?.detached ?? '');
    if (clear !== null) writeFileSync(join(tree, clear), made?.clear ?? '');
    if (key !== null) writeFileSync(join(tree, key), publicKey);
  }
}
