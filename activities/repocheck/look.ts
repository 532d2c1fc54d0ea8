import { type Bond, versionRules } from '../../pipelines/formats/format.ts';
import { debianName } from '../../pipelines/model/architecture.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { beyondNewest, downgrades } from '../../pipelines/policy/kept-versions.ts';
import { leaningOn } from '../../pipelines/policy/leaning.ts';
import { droppedBy, type MadeBySource, markNewest, stillNeeded } from '../../pipelines/policy/obsolete.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { type Listed, withPaths } from './lists.ts';

/** What repositories name. */
export interface Lists {
  readonly platform: Platform;
  readonly own: readonly Listed[];
  /** Of what is ahead. */
  readonly provided: readonly Listed[];
  readonly released: readonly Listed[];
  /** The builds that the job's own packages are of. */
  readonly builds: readonly MadeBySource[];
}

/** What is to be tried, and what is wrong whatever the trial says. */
export interface Look {
  readonly coming: readonly Listed[];
  /** Packages, released or ahead, that need something of what comes, or of what that replaces or takes away. */
  readonly leaning: readonly Bond[];
  /** What is there now and will not be: other versions of what comes, and what its sources make no more. */
  readonly leaving: readonly Bond[];
  /** The newest of what will be there beside what comes. */
  readonly staying: readonly Listed[];
  /** Of which packages newer versions are released, a line each. */
  readonly downgrades: readonly string[];
}

/** Works out what a release would change for machines of a platform. */
export function lookAt({ platform, own, provided, released, builds }: Lists): Look {
  const { compareVersions } = versionRules[platform.format];
  const { matches } = repositoryFormats[platform.format];
  const fits = (one: Bond) => one.source !== null && isFor(platform, one);
  const coming = own.filter(fits).map(withPaths);
  const names = new Set(coming.map(({ name }) => name));
  const all = [...provided, ...released].map((one) => (names.has(one.name) ? withPaths(one) : one));
  const isDropped = (one: Bond) => !names.has(one.name) && droppedBy(one, builds, compareVersions) !== undefined;
  const obsolete = all.filter(isDropped).map(withPaths);
  const others = [...all.filter((one) => !isDropped(one)), ...coming];
  // As the release does: what others need stays.
  const kept = stillNeeded(obsolete, markNewest(others, compareVersions), matches);
  const gone = obsolete.filter((one) => !kept.has(one));
  const there = all.filter(fits);
  const versions = Map.groupBy(coming, ({ name }) => name);
  const replaced = there.filter((one) => versions.get(one.name)?.every(({ version }) => version !== one.version));
  const beside = [...others.filter(fits), ...kept.keys()].filter(({ name }) => !names.has(name));
  const older = new Set<Bond>(beyondNewest(beside, 1, compareVersions));
  return {
    coming,
    leaning: leaningOn({ there, coming, obsolete }, compareVersions),
    leaving: [...replaced, ...gone.filter(fits)],
    staying: beside.filter((one): one is Listed => !older.has(one)),
    downgrades: downgrades(coming, released, compareVersions).map(
      ({ older: one, newer }) => `${one.name} ${one.version} is older than ${newer.version}, which is released`,
    ),
  };
}

/** Whether a package is for the architecture of a platform, or for every one. */
function isFor({ arch }: Platform, one: Bond): boolean {
  return [arch, debianName(arch), 'all', 'noarch'].includes(one.arch);
}
