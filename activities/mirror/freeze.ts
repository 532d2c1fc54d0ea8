import { createHash } from 'node:crypto';
import { lstat, mkdir, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SyncedPackage } from '../../pipelines/mirror/outcome.ts';
import { run } from '../process/run.ts';
import { listFiles } from '../repository/files.ts';
import { listPackages, verifyTree } from './content.ts';
import { verifySignatures } from './signatures.ts';
import { MirrorError, type MirrorSet } from './types.ts';

/** A copy of the source at one moment: nothing that happens to the source later reaches a mirror half. */
export interface FrozenSource {
  readonly tree: string;
  readonly digest: string;
  readonly packages: readonly SyncedPackage[];
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
  const { code, stderr } = await run('rsync', ['--archive', `--link-dest=${source}`, `${source}/`, `${tree}/`]);
  if (code !== 0) throw new MirrorError(`rsync:${code}`, stderr.trim().split('\n')[0] ?? '');
  await verifyTree(tree);
  if (set.verify !== undefined) await verifySignatures(tree, set.verify.key);
  return { tree, digest: await digestOf(tree), packages: await listPackages(tree) };
}

/** Names what a tree holds by the names, sizes and times of its files. */
async function digestOf(tree: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await listFiles(tree)) {
    const file = await lstat(join(tree, path));
    const text = file.isSymbolicLink() ? await readlink(join(tree, path)) : '';
    hash.update(`${path}\0${file.mode}\0${file.size}\0${file.mtimeMs}\0${text}\0`);
  }
  return hash.digest('hex');
}
