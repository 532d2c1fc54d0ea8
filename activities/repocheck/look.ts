import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { debianName } from '../../pipelines/formats/deb/architectures.ts';
import { type Bond, versionRules } from '../../pipelines/formats/format.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { firstDowngrade } from '../../pipelines/policy/kept-versions.ts';
import { leaningOn } from '../../pipelines/policy/leaning.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { repositoryFormats } from '../repository/formats.ts';

interface Lists {
  readonly platform: Platform;
  /** A directory that takes what is fetched. */
  readonly workdir: string;
  readonly own: readonly NodeRepository[];
  /** Test repositories of what is ahead. */
  readonly provided: readonly NodeRepository[];
  readonly released: readonly NodeRepository[];
}

/** What is to be tried, and what is wrong whatever the trial says. */
export interface Look {
  readonly coming: readonly Bond[];
  /** Packages, released or ahead, that need something of what comes, or of what that replaces. */
  readonly leaning: readonly Bond[];
  /** Versions of what comes that are there now. */
  readonly replaced: readonly Bond[];
  /** Of which package a newer version is released, in one line; null: none. */
  readonly downgrade: string | null;
}

/** Reads the lists of the job's test repositories, of those ahead and of the released ones, for the architecture of a platform. */
export async function lookAt({ platform, workdir, own, provided, released }: Lists): Promise<Look> {
  const { compareVersions } = versionRules[platform.format];
  const fits = (one: Bond) => one.source !== null && isFor(platform, one);
  const read = async (repository: NodeRepository) => {
    const work = await mkdtemp(join(workdir, 'lists-'));
    const format = repositoryFormats[platform.format];
    const base = { source: [repository.url], architectures: [debianName(platform.arch)], suite: repository.codename };
    return (await format.bonds(await format.fetchBase(base, work))).filter(fits);
  };
  const coming = (await Promise.all(own.map(read))).flat();
  const known = (await Promise.all(released.map(read))).flat();
  const there = [...(await Promise.all(provided.map(read))).flat(), ...known];
  const found = firstDowngrade(coming, known, compareVersions);
  const downgrade =
    found && `${found.older.name} ${found.older.version} is older than ${found.newer.version}, which is released`;
  const versions = Map.groupBy(coming, ({ name }) => name);
  const replaced = there.filter((one) => versions.get(one.name)?.every(({ version }) => version !== one.version));
  return { coming, leaning: leaningOn(there, coming, compareVersions), replaced, downgrade };
}

/** Whether a package is for the architecture of a platform, or for every one. */
function isFor({ arch }: Platform, one: Bond): boolean {
  return [arch, debianName(arch), 'all', 'noarch'].includes(one.arch);
}
