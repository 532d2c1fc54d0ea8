import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bond } from '../../pipelines/formats/format.ts';
import { debianName } from '../../pipelines/model/architecture.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { repositoryFormats } from '../repository/formats.ts';
import type { ListedPackage } from '../repository/port.ts';
import { keyOf } from '../repository/state.ts';

/** A package that a repository's lists name. */
export interface Listed extends Bond {
  readonly file: ListedPackage;
  readonly repository: NodeRepository;
  /** What it brings, a directory with `/` at its end; null where the lists do not say. */
  readonly paths: readonly string[] | null;
}

interface Place {
  readonly platform: Platform;
  /** A directory that takes what is fetched. */
  readonly workdir: string;
}

/**
 * Reads a repository's lists for the architecture of a platform, by the package manager itself: it checks the signature
 * and the hashes as on any client.
 */
export async function readLists({ platform, workdir }: Place, repository: NodeRepository): Promise<readonly Listed[]> {
  const { url, codename, key } = repository;
  const format = repositoryFormats[platform.format];
  const base = { source: [url], architectures: [debianName(platform.arch)], suite: codename };
  const work = await mkdtemp(join(workdir, 'lists-'));
  const tree = await format.fetchBase({ ...base, ...(key === undefined ? {} : { key }) }, work);
  const files = new Map((await format.list(tree)).map((one) => [keyOf(one), one]));
  const paths = await format.paths(tree);
  return (await format.bonds(tree)).flatMap((one) => {
    const file = files.get(keyOf(one));
    return file === undefined ? [] : [{ ...one, file, repository, paths: paths?.get(keyOf(one)) ?? null }];
  });
}

/** With all paths that are known among what it offers: lists of RPM offer those of some directories. */
export function withPaths(one: Listed): Listed {
  const files = (one.paths ?? []).map((path) => ({ name: path.replace(/(.)\/$/, '$1'), operator: '', version: '' }));
  return { ...one, offers: [...one.offers, ...files] };
}
