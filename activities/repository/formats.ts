import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { exists } from '../files/exists.ts';
import { debRepository } from './deb/adapter.ts';
import { isFlat } from './deb/index-read.ts';
import { type RepositoryFormat, RepositoryRefusal } from './port.ts';
import { rpmRepository } from './rpm/adapter.ts';

export const repositoryFormats: Readonly<Record<PackageFormat, RepositoryFormat>> = {
  deb: debRepository,
  rpm: rpmRepository,
};

/** Tells a repository's format by its content. @throws RepositoryRefusal when there is no repository. */
export async function formatOf(tree: string): Promise<RepositoryFormat> {
  if (await exists(join(tree, 'repodata/repomd.xml'))) return rpmRepository;
  if ((await readdir(join(tree, 'dists')).catch(() => [])).length > 0 || (await isFlat(tree))) return debRepository;
  throw new RepositoryRefusal(`${tree} is no package repository: it has neither repodata, dists, Release nor Packages`);
}
