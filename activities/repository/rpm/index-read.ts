import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VouchedFile } from '../../../pipelines/formats/deb/release.ts';
import { evr, type PrimaryPackage, parsePrimary, parseRepomd } from '../../../pipelines/formats/rpm/repodata.ts';
import { child, parseXml } from '../../../pipelines/formats/rpm/xml.ts';
import { exists, readPacked } from '../files.ts';
import { insidePath } from '../names.ts';
import { type ListedPackage, RepositoryRefusal, type RepositorySettings } from '../port.ts';

const repomd = 'repodata/repomd.xml';

export async function settings(tree: string): Promise<RepositorySettings> {
  const root = parseXml(await readRepomd(tree));
  const tags = child(root, 'tags');
  const origin = tags === undefined ? '' : (child(tags, 'repo')?.text ?? '');
  return { origin, codename: '', architectures: [] };
}

export async function list(tree: string): Promise<ListedPackage[]> {
  const { files } = parseRepomd(await readRepomd(tree));
  const primary = files.find(({ type }) => type === 'primary');
  if (primary === undefined) throw new RepositoryRefusal(`${join(tree, repomd)} names no primary.xml`);
  return parsePrimary(await readPacked(join(tree, insidePath(primary.path)))).map(listed);
}

export async function vouched(tree: string): Promise<VouchedFile[]> {
  const { files } = parseRepomd(await readRepomd(tree));
  return files.map(({ path, size, checksum }) => ({ path: insidePath(path), size, sha256: checksum }));
}

export async function served(tree: string): Promise<string[]> {
  const { files } = parseRepomd(await readRepomd(tree));
  const packages = await list(tree);
  return [...files.map(({ path }) => insidePath(path)), ...packages.map(({ path }) => path)];
}

async function readRepomd(tree: string): Promise<string> {
  const path = join(tree, repomd);
  if (!(await exists(path))) throw new RepositoryRefusal(`${tree} is no RPM repository: it has no ${repomd}`);
  return readFile(path, 'utf8');
}

function listed(one: PrimaryPackage): ListedPackage {
  const { name, arch, size, checksum } = one;
  return { name, version: evr(one), arch, path: insidePath(one.path), size, sha256: checksum, parts: [] };
}
