import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Paragraph, parseControl } from '../../../pipelines/formats/deb/control.ts';
import {
  parseChecksums,
  parseRelease,
  type Release,
  type VouchedFile,
} from '../../../pipelines/formats/deb/release.ts';
import { exists } from '../files.ts';
import { checked, insidePath } from '../names.ts';
import { type ListedPackage, RepositoryRefusal, type RepositorySettings } from '../port.ts';

/** Where the tree's only distribution is: the directory of its Release file. */
export async function distribution(tree: string): Promise<string> {
  const names = await readdir(join(tree, 'dists')).catch(() => []);
  const name = names[0];
  if (name === undefined || names.length > 1) throw new RepositoryRefusal(`${tree} has ${names.length} distributions`);
  return join('dists', checked('codename', name));
}

export async function readRelease(tree: string): Promise<Release> {
  return parseRelease(await readFile(join(tree, await distribution(tree), 'Release'), 'utf8'));
}

export async function settings(tree: string): Promise<RepositorySettings> {
  const { origin, codename, architectures } = await readRelease(tree);
  return { origin, codename, architectures };
}

export async function list(tree: string): Promise<ListedPackage[]> {
  const dist = await distribution(tree);
  const { files } = await readRelease(tree);
  const found = new Map<string, ListedPackage>();
  for (const { path } of files) {
    if (!/(^|\/)(Packages|Sources)$/.test(path)) continue;
    const text = await readFile(join(tree, dist, path), 'utf8');
    for (const one of parseControl(text)) {
      const listed = path.endsWith('Sources') ? listedSource(one) : listedBinary(one);
      found.set(listed.path, listed);
    }
  }
  return [...found.values()];
}

export async function vouched(tree: string): Promise<VouchedFile[]> {
  const dist = await distribution(tree);
  const { files } = await readRelease(tree);
  return files.map((file) => ({ ...file, path: insidePath(join(dist, file.path)) }));
}

export async function served(tree: string): Promise<string[]> {
  const dist = await distribution(tree);
  const { files } = await readRelease(tree);
  const hashed = files.map(({ path, sha256 }) => join(dist, dirname(path), 'by-hash', 'SHA256', sha256));
  const packages = (await list(tree)).flatMap((one) => [one.path, ...one.parts]);
  const there = await Promise.all(hashed.map((path) => exists(join(tree, path))));
  return [...new Set([...hashed.filter((_, position) => there[position]), ...packages])];
}

function listedBinary(fields: Paragraph): ListedPackage {
  return {
    name: fields.Package ?? '',
    version: fields.Version ?? '',
    arch: fields.Architecture ?? '',
    path: insidePath(fields.Filename ?? ''),
    size: Number(fields.Size),
    sha256: fields.SHA256 ?? '',
    parts: [],
  };
}

function listedSource(fields: Paragraph): ListedPackage {
  const directory = fields.Directory ?? '';
  const files = parseChecksums(fields['Checksums-Sha256'] ?? '');
  const dsc = files.find(({ path }) => path.endsWith('.dsc'));
  const parts = files.filter((one) => one !== dsc).map(({ path }) => insidePath(join(directory, path)));
  return {
    name: fields.Package ?? '',
    version: fields.Version ?? '',
    arch: 'source',
    path: insidePath(join(directory, dsc?.path ?? '')),
    size: dsc?.size ?? Number.NaN,
    sha256: dsc?.sha256 ?? '',
    parts,
  };
}
