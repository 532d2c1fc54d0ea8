import { createHash } from 'node:crypto';
import { lstat, mkdir, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestAlgorithm } from '../../pipelines/formats/digest.ts';
import type { Manifest, ManifestFile } from '../../pipelines/mirror/manifest.ts';
import { run } from '../process/run.ts';
import { listFiles, sha256 } from '../repository/files.ts';
import { releasedKey } from '../repository/released.ts';
import { type Checked, type Content, type Hashed, hashedTree, readContent, verifyContent } from './content.ts';
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
 * Copies the source (by hard links where they can be had) and checks it.
 *
 * @throws MirrorError when the source is not there, changes meanwhile, or is not what its own indexes say.
 */
export async function freezeSource(set: MirrorSet, directory: string): Promise<FrozenSource> {
  const source = await realpath(set.source).catch(() => {
    throw new MirrorError('source', `${set.source} is not there`);
  });
  const tree = join(directory, 'frozen');
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  // Without devices and the like: nobody publishes them, and to read one may take for ever.
  const kept = ['--recursive', '--links', '--perms', '--times', '--owner', '--group'];
  const { code, stderr } = await run('rsync', [...kept, `--link-dest=${source}`, `${source}/`, `${tree}/`]);
  if (code !== 0) throw new MirrorError(`rsync:${code}`, stderr.trim().split('\n')[0] ?? '');
  const manifest = await readManifest(tree);
  const content = await readContent(tree);
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

/** The bits of a file as they are published, whoever made it: readable by all, written by its owner. */
export function publishedMode(mode: number): number {
  return (mode & 0o111) === 0 ? 0o644 : 0o755;
}

async function readManifest(tree: string): Promise<Manifest> {
  const files: [string, ManifestFile][] = [];
  const links: [string, string][] = [];
  for (const path of await listFiles(tree)) {
    const found = await lstat(join(tree, path)).catch((error) => {
      // What stands for bytes that are no text names no file.
      throw path.includes('\ufffd') ? refusedName(path.replaceAll('\ufffd', '?'), 'is not UTF-8') : error;
    });
    if (/\p{Cc}/u.test(path)) throw refusedName(path, 'has a control character');
    if (/\\#\d{3}/.test(path)) throw refusedName(path, 'has what rsync writes for a control character');
    if (found.isSymbolicLink()) links.push([path, await readlink(join(tree, path))]);
    if (!found.isFile()) continue;
    const { size, mode, mtimeMs } = found;
    const facts = { size, mode: publishedMode(mode), mtime: Math.floor(mtimeMs / 1000) };
    files.push([path, { ...facts, sha256: await sha256(join(tree, path)) }]);
  }
  return { files: Object.fromEntries(files), links: Object.fromEntries(links) };
}

function refusedName(path: string, why: string): MirrorError {
  return new MirrorError(
    'source',
    `${JSON.stringify(path)} ${why}: such a name is not mirrored, rename it in the source`,
  );
}

/** Hashes that the manifest has are not worked out again. */
function knownHashes(tree: string, { files }: Manifest): Hashed {
  const fresh = hashedTree(tree);
  return {
    tree,
    hash: async (path: string, algorithm: DigestAlgorithm) =>
      (algorithm === 'sha256' ? files[path]?.sha256 : undefined) ?? (await fresh.hash(path, algorithm)),
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
