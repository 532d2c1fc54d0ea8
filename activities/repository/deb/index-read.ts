import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Paragraph, parseControl } from '../../../pipelines/formats/deb/control.ts';
import {
  debugComponent,
  parseChecksums,
  parseRelease,
  type Release,
  releaseDate,
  releaseFiles,
  sourceFiles,
  type VouchedFile,
} from '../../../pipelines/formats/deb/release.ts';
import { exists } from '../../files/exists.ts';
import { readPacked, readParagraphs } from '../files.ts';
import { checked, insidePath } from '../names.ts';
import type { NamedPackage, RootIndex } from '../port.ts';
import { type ListedPackage, RepositoryRefusal, type RepositorySettings } from '../port.ts';
import { readPackages } from './packages-list.ts';

/** Where the tree's only distribution is: the directory of its Release file. */
export async function distributionOf(tree: string): Promise<string> {
  const [found, ...more] = await distributions(tree);
  if (found === undefined || more.length > 0) {
    throw new RepositoryRefusal(`${tree} has ${found === undefined ? 'no' : 'more than one'} distribution in dists`);
  }
  return found;
}

/** The directories that hold a Release file, the tree itself where it is flat; links are other names for them. */
async function distributions(tree: string): Promise<string[]> {
  // A publication looks at the few files of five trees: a turn of the event loop for each takes longer than the look.
  const dists = join(tree, 'dists');
  const entries = existsSync(dists) ? readdirSync(dists, { withFileTypes: true }) : [];
  const found = entries.flatMap((entry) =>
    entry.isDirectory() ? [join('dists', checked('codename', entry.name))] : [],
  );
  const whole = await Promise.all(['.', ...found].map((path) => rootIndexOf(tree, path)));
  const flat = whole[0] === null && !(await isFlat(tree)) ? [] : ['.'];
  return [...found.filter((_, position) => whole[position + 1]), ...flat];
}

/** Whether the tree has a list of packages beside them, with or without a Release file. */
export async function isFlat(tree: string): Promise<boolean> {
  const names = existsSync(tree) ? readdirSync(tree) : [];
  return names.some((name) => /^(InRelease|Release)$/.test(name) || isList(name));
}

/** The file that vouches for a distribution, the one that APT prefers; null where there is none. */
async function rootIndexOf(tree: string, dist: string): Promise<string | null> {
  for (const name of ['InRelease', 'Release']) if (await exists(join(tree, dist, name))) return join(dist, name);
  return null;
}

async function releaseText(tree: string): Promise<string> {
  const root = await rootIndexOf(tree, await distributionOf(tree));
  return root === null ? '' : readFileSync(join(tree, root), 'utf8');
}

async function readRelease(tree: string): Promise<Release> {
  return parseRelease(await releaseText(tree));
}

export async function dated(tree: string): Promise<number> {
  return releaseDate(await releaseText(tree));
}

export async function settings(tree: string): Promise<RepositorySettings> {
  const { origin, codename, architectures, components } = await readRelease(tree);
  return { origin, codename, architectures, debug: components.includes(debugComponent) };
}

/** The root indexes of a tree's distributions. */
export async function roots(tree: string): Promise<string[]> {
  const found = await Promise.all((await distributions(tree)).map((dist) => rootIndexOf(tree, dist)));
  return found.filter((root) => root !== null);
}

export async function list(tree: string): Promise<ListedPackage[]> {
  const found = new Map<string, ListedPackage>();
  for (const { path, dist } of await packageLists(tree)) {
    const packages = parseControl(await readPacked(join(tree, path)));
    const listed = packages.map((one) => (isSourceList(path) ? listedSource(one) : listedBinary(one)));
    const base = await baseOf(tree, dist, listed);
    const moved = <T extends { readonly path: string }>(one: T): T => ({
      ...one,
      path: join(base, insidePath(one.path)),
    });
    for (const one of listed.map(moved)) found.set(one.path, { ...one, parts: one.parts.map(moved) });
  }
  return [...found.values()];
}

/** A list of packages, whatever it is packed with, and the distribution that it is of. */
interface PackageList {
  readonly path: string;
  readonly dist: string;
}

/** One file for each `Packages` and `Sources` that the tree's distributions name, or that stand beside the packages. */
export async function packageLists(tree: string): Promise<PackageList[]> {
  const found = await Promise.all(
    (await distributions(tree)).map(async (dist) => (await namedLists(tree, dist)).map((path) => ({ path, dist }))),
  );
  return found.flat();
}

async function namedLists(tree: string, dist: string): Promise<string[]> {
  const root = await rootIndexOf(tree, dist);
  const files = root === null ? [] : releaseFiles(await readFile(join(tree, root), 'utf8'));
  const named = root === null ? (await readdir(join(tree, dist))).sort() : files.map(({ path }) => path);
  const found = new Map<string, string>();
  for (const path of named.filter(isList)) {
    const base = indexName(path);
    if (!found.has(base) && (await exists(join(tree, dist, path)))) found.set(base, join(dist, path));
  }
  return [...found.values()];
}

/** The name of a list of packages without its packing; other names as they are. */
function indexName(path: string): string {
  return path.replace(/((?:^|\/)(?:Packages|Sources))\.(gz|xz|bz2|zst|lzma)$/, '$1');
}

export function isSourceList(path: string): boolean {
  return basename(path).startsWith('Sources');
}

export async function vouched(tree: string): Promise<VouchedFile[]> {
  const dist = await distributionOf(tree);
  const { files } = await readRelease(tree);
  const kept = new Set((await packageLists(tree)).map(({ path }) => indexName(path)));
  const all = files.map((file) => ({ ...file, path: insidePath(join(dist, file.path)) }));
  // Archives name lists in every packing and keep some: one is enough.
  const there = await Promise.all(all.map(({ path }) => exists(join(tree, path))));
  return all.filter(({ path }, position) => there[position] || !kept.has(indexName(path)));
}

export async function served(tree: string): Promise<string[]> {
  const dist = await distributionOf(tree);
  const { files } = await readRelease(tree);
  const hashed = files.map(({ path, sha256 }) => join(dist, dirname(path), 'by-hash', 'SHA256', sha256));
  const there = await Promise.all(hashed.map((path) => exists(join(tree, path))));
  return [...new Set(hashed.filter((_, position) => there[position]))];
}

export function listedBinary(fields: Paragraph): ListedPackage {
  return {
    name: fields.Package ?? '',
    version: fields.Version ?? '',
    arch: fields.Architecture ?? '',
    path: fields.Filename ?? '',
    size: Number(fields.Size),
    sha256: fields.SHA256 ?? '',
    parts: [],
  };
}

export function listedSource(fields: Paragraph): ListedPackage {
  const directory = fields.Directory ?? '';
  const known = new Map(parseChecksums(fields['Checksums-Sha256'] ?? '').map(({ path, sha256 }) => [path, sha256]));
  const files = sourceFiles(fields).map(({ path, size }) => ({ path, size, sha256: known.get(path) ?? '' }));
  const dsc = files.find(({ path }) => path.endsWith('.dsc'));
  const parts = files.filter((one) => one !== dsc);
  return {
    name: fields.Package ?? '',
    version: fields.Version ?? '',
    arch: 'source',
    path: insidePath(join(directory, dsc?.path ?? '')),
    size: dsc?.size ?? Number.NaN,
    sha256: dsc?.sha256 ?? '',
    parts: parts.map((one) => ({ ...one, path: insidePath(join(directory, one.path)) })),
  };
}

/**
 * Reads a `Release` or `InRelease` wherever it stands, below `dists` or beside the packages of a flat repository, and
 * one list of packages for each that it names. All paths are below the tree.
 *
 * @throws RepositoryRefusal for a path that leads out of the tree.
 */
export async function readRootIndex(tree: string, root: string): Promise<RootIndex> {
  const dist = dirname(root);
  const text = await readFile(join(tree, root), 'utf8');
  const named = releaseFiles(text).map((file) => ({ ...file, path: insidePath(join(dist, file.path)) }));
  const found = await Promise.all(named.map(({ path }) => exists(join(tree, path))));
  const files = named.filter((_, position) => found[position]);
  const missing = named.filter((_, position) => !found[position]);
  const lists = new Map<string, string>();
  for (const { path } of files.filter((file) => isList(file.path))) {
    const name = indexName(path);
    // Of several forms of one list the plain one is read soonest.
    if (lists.get(name) !== name) lists.set(name, path);
  }
  // A list without content is left out by some, and nothing is lost with it.
  const known = new Set([...lists.keys(), ...named.flatMap(({ path, size }) => (size === 0 ? [indexName(path)] : []))]);
  const absent = missing.map(({ path }) => indexName(path)).filter((name) => isList(name) && !known.has(name));
  const packages = async function* () {
    for (const path of lists.values()) yield* readList(tree, dist, path);
  };
  return { root, format: 'deb', files, absent: [...new Set(absent)], packages };
}

function isList(path: string): boolean {
  return /(^|\/)(Packages|Sources)$/.test(indexName(path));
}

async function* readList(tree: string, dist: string, list: string): AsyncIterable<NamedPackage[]> {
  let base: string | null = null;
  for await (const some of namedIn(join(tree, list))) {
    const below: string = base ?? (await baseOf(tree, dist, some));
    base = below;
    yield some.map((one) => {
      const path = insidePath(join(below, one.path));
      // Most stand where the list says.
      return path === one.path ? one : { ...one, path };
    });
  }
}

async function* namedIn(list: string): AsyncIterable<NamedPackage[]> {
  if (isSourceList(list)) yield parseControl(await readPacked(list)).flatMap(namedSources);
  else for await (const some of readParagraphs(list)) yield readPackages(some);
}

/** Paths are below the directory that holds `dists`; a flat list's are below its own, or one further up. */
async function baseOf(tree: string, dist: string, packages: readonly { readonly path: string }[]): Promise<string> {
  const parts = dist.split('/');
  const dists = parts.lastIndexOf('dists');
  if (dists >= 0) return parts.slice(0, dists).join('/');
  const bases = [dist, ...parts.map((_, position) => parts.slice(0, parts.length - 1 - position).join('/'))];
  for (const base of bases) {
    if (packages[0] !== undefined && (await exists(join(tree, base, packages[0].path)))) return base;
  }
  return dist;
}

function namedSources(fields: Paragraph): NamedPackage[] {
  const { Package: name = '', Version: version = '', Directory: directory = '' } = fields;
  const base = { kind: 'source', name, version, arch: 'source' } as const;
  return sourceFiles(fields).map((file) => ({ ...base, ...file, path: join(directory, file.path) }));
}
