import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VouchedFile } from '../../../pipelines/formats/deb/release.ts';
import { digestOfType } from '../../../pipelines/formats/digest.ts';
import {
  evr,
  type PrimaryPackage,
  parseFilelists,
  parsePrimary,
  parseRepomd,
} from '../../../pipelines/formats/rpm/repodata.ts';
import { child, parseXml } from '../../../pipelines/formats/rpm/xml.ts';
import { exists } from '../../files/exists.ts';
import { readPacked } from '../files.ts';
import { insidePath } from '../names.ts';
import type { NamedPackage, RootIndex } from '../port.ts';
import { type ListedPackage, RepositoryRefusal, type RepositorySettings } from '../port.ts';
import { type Part, partsIn, repomd } from './debug.ts';

export async function settings(tree: string): Promise<RepositorySettings> {
  const root = parseXml(await readRepomd(tree));
  const tags = child(root, 'tags');
  const origin = tags === undefined ? '' : (child(tags, 'repo')?.text ?? '');
  return { origin, codename: '', architectures: [], debug: (await partsIn(tree)).length > 1 };
}

export async function dated(tree: string): Promise<number> {
  return Number(parseRepomd(await readRepomd(tree)).revision) * 1000;
}

export async function roots(tree: string): Promise<string[]> {
  return (await partsIn(tree)).map((part) => `${part}${repomd}`);
}

export async function list(tree: string): Promise<ListedPackage[]> {
  return ofParts(tree, async (at, part) => {
    const packages = parsePrimary(await readPacked(join(at, await primaryOf(at))));
    return packages.map((one) => listed(one, part));
  });
}

/** What is found in each of a tree's repositories. */
export async function ofParts<T>(tree: string, find: (at: string, part: Part) => Promise<readonly T[]>): Promise<T[]> {
  const parts = await partsIn(tree);
  return (await Promise.all(parts.map((part) => find(join(tree, part), part)))).flat();
}

export async function paths(tree: string): Promise<ReadonlyMap<string, readonly string[]> | null> {
  const found = await ofParts(tree, async (at) => [await pathsIn(at)]);
  return found.some((one) => one === null) ? null : new Map(found.flatMap((one) => [...(one ?? [])]));
}

async function pathsIn(tree: string): Promise<ReadonlyMap<string, readonly string[]> | null> {
  const { files } = parseRepomd(await readRepomd(tree));
  const place = files.find(({ type }) => type === 'filelists');
  // Whoever has fetched the tree may have left it out.
  if (place === undefined || !(await exists(join(tree, insidePath(place.path))))) return null;
  const found = parseFilelists(await readPacked(join(tree, place.path)));
  return new Map(found.map(({ name, arch, paths, ...version }) => [`${name} ${evr(version)} ${arch}`, paths]));
}

/** The list of packages, relative to the tree. @throws RepositoryRefusal where there is none */
export async function primaryOf(tree: string): Promise<string> {
  const { files } = parseRepomd(await readRepomd(tree));
  const primary = files.find(({ type }) => type === 'primary');
  if (primary === undefined) throw new RepositoryRefusal(`${join(tree, repomd)} names no primary.xml`);
  return insidePath(primary.path);
}

export async function vouched(tree: string): Promise<VouchedFile[]> {
  return ofParts(tree, async (at, part) => {
    const { files } = parseRepomd(await readRepomd(at));
    return files.map(({ path, size, checksum }) => ({ path: `${part}${insidePath(path)}`, size, sha256: checksum }));
  });
}

export async function served(tree: string): Promise<string[]> {
  return (await vouched(tree)).map(({ path }) => path);
}

/** @throws RepositoryRefusal where there is none */
export async function readRepomd(tree: string): Promise<string> {
  const path = join(tree, repomd);
  if (!(await exists(path))) throw new RepositoryRefusal(`${tree} is no RPM repository: it has no ${repomd}`);
  return readFile(path, 'utf8');
}

/** @param part the repository whose list it is of */
export function listed(one: PrimaryPackage, part: Part): ListedPackage {
  const { name, arch, size, checksum } = one;
  return { name, version: evr(one), arch, path: `${part}${insidePath(one.path)}`, size, sha256: checksum, parts: [] };
}

/**
 * Reads a `repomd.xml` wherever it stands in a tree, and the packages of its primary list. All paths are below the tree.
 *
 * @throws RangeError for what is no such XML. @throws RepositoryRefusal for a path that leads out of the tree.
 */
export async function readRootIndex(tree: string, root: string): Promise<RootIndex> {
  const base = dirname(dirname(root));
  const named = parseRepomd(await readFile(join(tree, root), 'utf8')).files;
  const files = named.map(({ path, size, checksumType, checksum }) => ({
    path: insidePath(join(base, path)),
    size,
    digest: digestOfType(checksumType, checksum),
  }));
  const primary = named.find(({ type }) => type === 'primary');
  const place = primary === undefined ? null : insidePath(join(base, primary.path));
  const there = place !== null && (await exists(join(tree, place)));
  return {
    ...{ root, format: 'rpm', files },
    absent: there || named.length === 0 ? [] : [place ?? join(dirname(root), 'primary.xml')],
    packages: async function* () {
      if (there) yield parsePrimary(await readPacked(join(tree, place))).map((one) => namedIn(base, one));
    },
  };
}

function namedIn(base: string, one: PrimaryPackage): NamedPackage {
  return {
    kind: one.arch === 'src' || one.arch === 'nosrc' ? 'source' : 'binary',
    ...{ name: one.name, version: evr(one), arch: one.arch, size: one.size },
    path: insidePath(join(base, one.path)),
    digest: digestOfType(one.checksumType, one.checksum),
  };
}
