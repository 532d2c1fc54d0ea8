import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestAlgorithm } from '../../pipelines/formats/digest.ts';
import type { Manifest } from '../../pipelines/mirror/manifest.ts';
import { sha256 } from '../repository/files.ts';
import { releasedKey } from '../repository/released.ts';
import { type Checked, type Content, type Hashed, hashedTree, readContent, verifyContent } from './content.ts';
import { copyTree } from './frozen-tree.ts';
import { type Signed, verifySignatures } from './signatures.ts';
import { MirrorError, type MirrorSet } from './types.ts';

/** A copy of the source at one moment: nothing that happens to the source later reaches a mirror half. */
export interface FrozenSource {
  readonly tree: string;
  /** Names what the tree holds: names, contents and modes. */
  readonly digest: string;
  readonly manifest: Manifest;
  readonly content: Content;
  readonly checked: Checked;
  /** Who signed it; null where no key was asked for. */
  readonly signed: Signed | null;
}

/**
 * Copies the source (by hard links where they can be had) and checks it. Hashes of files that nobody touched since the
 * last time are remembered.
 *
 * @throws MirrorError when the source is not there, changes meanwhile, or is not what its own indexes say.
 */
export async function freezeSource(set: MirrorSet, directory: string): Promise<FrozenSource> {
  const source = await realpath(set.source).catch(() => {
    throw new MirrorError('source', `${set.source} is not there`);
  });
  const tree = join(directory, 'frozen');
  const manifest = await copyTree(source, tree, join(directory, 'frozen.json'));
  const content = await readContent(tree, [...Object.keys(manifest.files), ...Object.keys(manifest.links)]);
  const checked = await verifyContent(knownHashes(tree, manifest), content);
  // An installation's own repositories leave it only as its signer let them pass.
  const own = await releasedKey(source);
  if (own !== null) await verifySignatures(tree, content, own);
  const signed = set.verify === undefined ? null : await verifySignatures(tree, content, set.verify.key);
  return { tree, digest: digestOf(manifest), manifest, content, checked, signed };
}

/** @throws MirrorError `verify` when a file was written to in place since the tree was frozen. */
export async function checkFrozen({ tree, manifest }: FrozenSource, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const wanted = manifest.files[path];
    if (wanted === undefined || (await sha256(join(tree, path))) === wanted.sha256) continue;
    throw new MirrorError('verify', `${path} was written to while it was sent`);
  }
}

/** Hashes that the manifest has are not worked out again. */
function knownHashes(tree: string, { files }: Manifest): Hashed {
  const fresh = hashedTree(tree);
  return {
    tree,
    hash: async (path: string, algorithm: DigestAlgorithm) =>
      (algorithm === 'sha256' ? files[path]?.sha256 : undefined) ?? (await fresh.hash(path, algorithm)),
    size: async (path: string) => files[path]?.size ?? (await fresh.size(path)),
  };
}

function digestOf({ files, links }: Manifest): string {
  const hash = createHash('sha256');
  for (const [path, { size, mode, mtime, sha256: content }] of Object.entries(files)) {
    hash.update(`${path}\0${mode}\0${size}\0${mtime}\0${content}\0`);
  }
  for (const [path, text] of Object.entries(links)) hash.update(`${path}\0${text}\0\0`);
  return hash.digest('hex');
}
