import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { releaseFiles } from '../../pipelines/formats/deb/release.ts';
import { type DigestAlgorithm, type DigestedFile, isStrong } from '../../pipelines/formats/digest.ts';
import type { Manifest } from '../../pipelines/mirror/manifest.ts';
import type { SyncedPackage } from '../../pipelines/mirror/outcome.ts';
import { hashOf } from '../files/digest.ts';
import type { NamedPackage, RootIndex } from '../repository/port.ts';
import { readRootIndex, rootIndexPaths } from '../repository/root-index.ts';
import { MirrorError } from './types.ts';

/** A tree with the hash of each of its files, worked out when it is asked for. */
export interface Hashed {
  readonly tree: string;
  hash(path: string, algorithm: DigestAlgorithm): Promise<string>;
  /** Null where there is no such file. */
  size(path: string): Promise<number | null>;
}

/** What a check looked at, and what it could not. */
export interface Checked {
  readonly packages: number;
  readonly indexes: number;
  /** Why something is unchecked, a sentence each. */
  readonly unchecked: readonly string[];
}

/** A root index once its lists are read. */
interface ReadRoot extends Omit<RootIndex, 'packages'> {
  /** How many packages the lists name. */
  readonly listed: number;
  /** Those of whose files it is not known that they are what the lists say. */
  readonly doubtful: readonly NamedPackage[];
}

/** A tree's repositories: what they name. */
export interface Content {
  readonly roots: readonly ReadRoot[];
  readonly packages: readonly SyncedPackage[];
  /** Of their files, each once. */
  readonly paths: ReadonlySet<string>;
  /** Every index file that there is, with the root indexes themselves and their signatures. */
  readonly indexes: readonly string[];
}

export function hashedTree(tree: string): Hashed {
  return {
    tree,
    hash: (path, algorithm) => hashOf(join(tree, path), algorithm),
    size: (path) =>
      stat(join(tree, path)).then(
        ({ size }) => size,
        () => null,
      ),
  };
}

/**
 * Reads all repositories of a tree.
 *
 * @param paths its files
 * @param known what is known already of some of them
 * @throws MirrorError `verify` for an index that cannot be read
 */
export async function readContent(
  tree: string,
  paths: readonly string[],
  known: Manifest['files'] = {},
): Promise<Content> {
  const roots: ReadRoot[] = [];
  const found = { packages: new Map<string, SyncedPackage>(), paths: new Set<string>() };
  for (const root of rootIndexPaths(paths)) {
    roots.push(
      await readRoot(tree, root, { ...found, known }).catch((error: Error) => {
        throw new MirrorError('verify', `${root} cannot be read: ${error.message}`);
      }),
    );
  }
  return {
    ...{ roots, packages: [...found.packages.values()], paths: found.paths },
    indexes: await indexesOf(tree, roots),
  };
}

interface Found {
  /** By all that tells them apart. */
  readonly packages: Map<string, SyncedPackage>;
  readonly paths: Set<string>;
  readonly known: Manifest['files'];
}

/** Keeps of each package what is asked for later: all that the lists say of them would be as much again as the rest. */
async function readRoot(tree: string, root: string, { packages, paths, known }: Found): Promise<ReadRoot> {
  const { packages: lists, ...index } = await readRootIndex(tree, root);
  let listed = 0;
  const doubtful: NamedPackage[] = [];
  for await (const some of lists()) {
    listed += some.length;
    for (const one of some) {
      const { kind, name, version, arch, path } = one;
      if (kind === 'binary' || index.format === 'rpm')
        packages.set(`${name} ${version} ${arch}`, { name, version, arch });
      if (!paths.has(path) && !isKnown(known, one)) doubtful.push(one);
      paths.add(path);
    }
  }
  return { ...index, listed, doubtful };
}

async function indexesOf(tree: string, roots: readonly ReadRoot[]): Promise<string[]> {
  const beside = roots.flatMap(({ root }) => [root, ...signaturesOf(root), join(dirname(root), 'Release')]);
  const named = roots.flatMap(({ files }) => files.map(({ path }) => path));
  const paths = [...new Set([...beside, ...named])];
  const there = await Promise.all(paths.map((path) => isThere(tree, path)));
  return paths.filter((_, position) => there[position]);
}

/** The signatures of a root index: its own for `InRelease`, else those beside it. */
export function signaturesOf(root: string): string[] {
  if (root.endsWith('repomd.xml')) return [`${root}.asc`];
  return [join(dirname(root), 'Release.gpg'), join(dirname(root), 'InRelease')];
}

/**
 * Checks all that a tree's indexes name: sizes and hashes.
 *
 * @throws MirrorError `verify` naming the first file that is not what its index says, or an index by which nothing can
 *   be checked.
 */
export async function verifyContent(hashed: Hashed, { roots, paths }: Content): Promise<Checked> {
  const unchecked: string[] = [];
  let indexes = 0;
  for (const index of roots) {
    await verifyTwins(hashed.tree, index.root);
    unchecked.push(...(await verifyLists(hashed.tree, index)));
    for (const file of index.files) await verifyFile(hashed, file, index);
    for (const file of index.doubtful) await verifyFile(hashed, file, index);
    indexes += index.files.length;
    if (index.files.length === 0) unchecked.push(`${index.root} names no index with a hash`);
  }
  if (roots.length === 0) unchecked.push('there is no Release, InRelease or repomd.xml: nothing vouches for any file');
  return { packages: paths.size, indexes, unchecked };
}

/** `28 packages, 3 indexes`, with what was not checked. */
export function describeChecked({ packages, indexes, unchecked }: Checked): string {
  const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;
  const seen = `${count(packages, 'package', 'packages')}, ${count(indexes, 'index', 'indexes')}`;
  return [seen, ...unchecked.map((why) => `unchecked: ${why}`)].join('; ');
}

/** A client reads `Release` or `InRelease`, so both must name the same. */
async function verifyTwins(tree: string, root: string): Promise<void> {
  const other = join(dirname(root), 'Release');
  if (!root.endsWith('InRelease') || !(await isThere(tree, other))) return;
  const [signed, plain] = await Promise.all([root, other].map((path) => readFile(join(tree, path), 'utf8')));
  if (JSON.stringify(releaseFiles(signed ?? '')) === JSON.stringify(releaseFiles(plain ?? ''))) return;
  throw new MirrorError('verify', `${root} names other files than ${other}`);
}

/**
 * Lists that are named and not there. A mirror of some architectures has no folder for the others, and clients of
 * these look elsewhere; anything else would break them.
 */
async function verifyLists(tree: string, { root, absent, listed, files }: ReadRoot): Promise<string[]> {
  for (const list of absent) {
    if (await isThere(tree, dirname(list))) {
      throw new MirrorError('verify', `${root} names ${list}, of which no form is there`);
    }
  }
  if (absent.length > 0 && listed === 0 && !files.some(({ path }) => /\/(Packages|Sources)\b/.test(path))) {
    throw new MirrorError('verify', `nothing can be checked: ${root} names ${absent[0]}, which is not there`);
  }
  return absent.map((list) => `${list}, which ${root} names, is not there`);
}

async function verifyFile({ hash, size }: Hashed, file: DigestedFile, { root, format }: ReadRoot): Promise<void> {
  const found = await size(file.path);
  if (found === null) throw new MirrorError('verify', `${root} leads to ${file.path}, which is not there`);
  const { digest } = file;
  if (digest === null || (format === 'deb' && !isStrong(digest))) {
    const by = digest === null ? 'no hash that is known' : `${digest.algorithm} alone, which APT does not take`;
    throw new MirrorError('verify', `${file.path} cannot be checked: ${root} vouches for it by ${by}`);
  }
  // RPM metadata may leave the size out.
  const sized = Number.isNaN(file.size) || found === file.size;
  if (sized && (await hash(file.path, digest.algorithm)) === digest.hex) return;
  throw new MirrorError('verify', `${file.path} is not what ${root} says`);
}

/** There may be a hundred thousand: a turn of the event loop for each would take longer than to compare them. */
function isKnown(known: Manifest['files'], { path, size, digest }: DigestedFile): boolean {
  const file = known[path];
  return file !== undefined && digest?.algorithm === 'sha256' && file.sha256 === digest.hex && file.size === size;
}

function isThere(tree: string, path: string): Promise<boolean> {
  return stat(join(tree, path)).then(
    () => true,
    () => false,
  );
}
