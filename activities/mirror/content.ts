import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseControl } from '../../pipelines/formats/deb/control.ts';
import { parseRelease } from '../../pipelines/formats/deb/release.ts';
import { evr, parsePrimary, parseRepomd } from '../../pipelines/formats/rpm/repodata.ts';
import type { SyncedPackage } from '../../pipelines/mirror/outcome.ts';
import { listFiles, readPacked, sha256 } from '../repository/files.ts';
import { MirrorError } from './types.ts';

/** A file that an index vouches for; `path` is relative to the tree. */
interface Vouched {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** The root indexes of a tree: it may hold several distributions, several RPM repositories, or none. */
export async function rootIndexes(tree: string): Promise<string[]> {
  return (await listFiles(tree)).filter((path) => /(^|\/)(dists\/.*\/Release|repodata\/repomd\.xml)$/.test(path));
}

/** Every index file that a root index names, with the root indexes themselves and their signatures. */
export async function indexPaths(tree: string): Promise<string[]> {
  const roots = await rootIndexes(tree);
  const vouched = (await Promise.all(roots.map((root) => vouchedBy(tree, root)))).flat();
  const beside = roots.flatMap((root) => [root, ...signaturesOf(root)]);
  const there: string[] = [];
  for (const path of [...beside, ...vouched.map((one) => one.path)]) {
    if (await stat(join(tree, path)).catch(() => null)) there.push(path);
  }
  return [...new Set(there)];
}

/** The detached and clear signatures of a root index. */
export function signaturesOf(root: string): string[] {
  if (root.endsWith('repomd.xml')) return [`${root}.asc`];
  return [`${root}.gpg`, join(dirname(root), 'InRelease')];
}

/** @throws MirrorError `verify` naming the first file whose size or hash is not what its index says. */
export async function verifyTree(tree: string, paths?: ReadonlySet<string>): Promise<void> {
  for (const root of await rootIndexes(tree)) {
    const vouched = await vouchedBy(tree, root);
    for (const file of vouched) await verifyFile(tree, file, root);
    const packages = (await packageFiles(tree, root)).filter(({ path }) => paths === undefined || paths.has(path));
    for (const file of packages) await verifyFile(tree, file, root);
  }
}

/** All packages that the tree's indexes name. */
export async function listPackages(tree: string): Promise<SyncedPackage[]> {
  const found = new Map<string, SyncedPackage>();
  for (const root of await rootIndexes(tree)) {
    for (const { name, version, arch } of await packageFiles(tree, root)) {
      found.set(`${name} ${version} ${arch}`, { name, version, arch });
    }
  }
  return [...found.values()];
}

async function verifyFile(tree: string, file: Vouched, root: string): Promise<void> {
  const path = join(tree, file.path);
  const found = await stat(path).catch(() => null);
  if (found === null) {
    // Archives name uncompressed indexes that they do not keep.
    if (root.endsWith('/Release') && !file.path.includes('/pool/') && !isPackage(file.path)) return;
    throw new MirrorError('verify', `${root} leads to ${file.path}, which is not there`);
  }
  if (found.size !== file.size || (file.sha256 !== '' && (await sha256(path)) !== file.sha256)) {
    throw new MirrorError('verify', `${file.path} is not what ${root} says`);
  }
}

function isPackage(path: string): boolean {
  return /\.(deb|udeb|dsc|rpm)$/.test(path);
}

async function vouchedBy(tree: string, root: string): Promise<Vouched[]> {
  const text = await readFile(join(tree, root), 'utf8');
  if (root.endsWith('/Release')) {
    return parseRelease(text).files.map((file) => ({ ...file, path: join(dirname(root), file.path) }));
  }
  const base = dirname(dirname(root));
  return parseRepomd(text).files.map(({ path, size, checksum, checksumType }) => ({
    path: join(base, path),
    size,
    sha256: checksumType === 'sha256' ? checksum : '',
  }));
}

async function packageFiles(tree: string, root: string): Promise<(Vouched & SyncedPackage)[]> {
  return root.endsWith('/Release') ? debPackages(tree, root) : rpmPackages(tree, root);
}

async function debPackages(tree: string, root: string): Promise<(Vouched & SyncedPackage)[]> {
  const base = root.slice(0, root.lastIndexOf('dists/'));
  const found: (Vouched & SyncedPackage)[] = [];
  for (const directory of await packageIndexes(tree, root)) {
    for (const fields of parseControl(await readPacked(join(tree, directory)))) {
      found.push({
        name: fields.Package ?? '',
        version: fields.Version ?? '',
        arch: fields.Architecture ?? '',
        path: join(base, fields.Filename ?? ''),
        size: Number(fields.Size),
        sha256: fields.SHA256 ?? '',
      });
    }
  }
  return found;
}

/** One file for each `Packages` index, whatever it is packed with. */
async function packageIndexes(tree: string, root: string): Promise<string[]> {
  const bases = new Map<string, string>();
  for (const { path } of await vouchedBy(tree, root)) {
    const base = /^(.*\/Packages)(\.gz|\.xz|\.bz2|\.zst)?$/.exec(path)?.[1];
    if (base === undefined || bases.has(base)) continue;
    if (await stat(join(tree, path)).catch(() => null)) bases.set(base, path);
  }
  return [...bases.values()];
}

async function rpmPackages(tree: string, root: string): Promise<(Vouched & SyncedPackage)[]> {
  const base = dirname(dirname(root));
  const primary = (await vouchedBy(tree, root)).find(({ path }) => /primary\.xml(\.\w+)?$/.test(path));
  if (primary === undefined) return [];
  return parsePrimary(await readPacked(join(tree, primary.path))).map((one) => ({
    name: one.name,
    version: evr(one),
    arch: one.arch,
    path: join(base, one.path),
    size: one.size,
    sha256: one.checksumType === 'sha256' ? one.checksum : '',
  }));
}
