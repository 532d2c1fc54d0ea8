import type { PackageFormat } from '../model/artifact.ts';
import { fitsPattern } from '../model/name-pattern.ts';

/** A package as people name it. */
export interface NamedPackage {
  readonly format: PackageFormat | string;
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** A build that was merged and signed, and the released repository that it waits for. */
export interface PlannedRelease {
  /** Id of the release that waits. */
  readonly release: string;
  readonly project: string;
  readonly branch: string;
  readonly change: string;
  readonly patchset: number;
  readonly repository: string;
  readonly platform: string;
  /** Id of the build that made the packages. Absent: of what was shown at once, without a plan. */
  readonly build?: string;
  readonly packages: readonly NamedPackage[];
}

/** A build that waits, or that was taken back and may be released again. */
export interface Candidate extends PlannedRelease {
  readonly build: string;
  readonly state: 'waiting' | 'reverted';
  /** When its release began; milliseconds since the epoch. */
  readonly time: number;
  /** When it was taken back; null for one that was not. */
  readonly taken: number | null;
}

/** What somebody wants released; what is empty says nothing. */
export interface PlanWish {
  /** Released repositories. */
  readonly lines: readonly string[];
  readonly platforms: readonly string[];
  /** Names, or patterns of names: `*` within a part of one, `**` for anything. */
  readonly projects: readonly string[];
  readonly builds: readonly string[];
  readonly changes: readonly string[];
}

export type Choice = { readonly chosen: readonly PlannedRelease[] } | { readonly refused: string };

/**
 * The builds that a plan takes: those that are named, else of everything that waits the newest of each project, branch,
 * platform and repository. What was taken back is released again only by name.
 */
export function chooseReleases(candidates: readonly Candidate[], wish: PlanWish): Choice {
  const among = candidates.filter((one) => fits(one, wish));
  const named = (one: Candidate) => wish.builds.includes(one.build) || wish.changes.includes(one.change);
  const unknown = [
    ...wish.builds.filter((build) => !among.some((one) => one.build === build)),
    ...wish.changes.filter((change) => !among.some((one) => one.change === change)),
    ...wish.projects.filter((pattern) => !among.some(({ project }) => fitsPattern(pattern, project))),
  ];
  if (unknown.length > 0) return { refused: `nothing of ${unknown.join(', ')} waits for a release plan` };
  const all = wish.builds.length + wish.changes.length === 0;
  const wanted = all ? among.filter(({ state }) => state === 'waiting') : among.filter(named);
  const newest = new Map(wanted.toSorted((a, b) => a.time - b.time).map((one) => [placeOf(one), one]));
  if (newest.size === 0) return { refused: 'nothing waits for a release plan: the plan would be empty' };
  return { chosen: [...newest.values()].map(({ state: _, time: __, taken: ___, ...one }) => one) };
}

/** What is narrowed by nothing fits all. */
function fits({ repository, platform, project }: Candidate, { lines, platforms, projects }: PlanWish): boolean {
  const listed = (names: readonly string[], name: string) => names.length === 0 || names.includes(name);
  const owned = projects.length === 0 || projects.some((pattern) => fitsPattern(pattern, project));
  return listed(lines, repository) && listed(platforms, platform) && owned;
}

/**
 * Why a plan is no longer what its maker saw: of one of its builds something newer was merged since, or it waits no more,
 * or was taken back. Null where it still is.
 *
 * @param made when the plan was made; milliseconds since the epoch
 */
export function whyOutdated(
  builds: readonly PlannedRelease[],
  candidates: readonly Candidate[],
  made: number,
): string | null {
  for (const build of builds) {
    const own = candidates.find(({ release }) => release === build.release);
    if (own === undefined || own.build !== build.build) return `${described(build)} waits no more: make a new plan`;
    if (own.taken !== null && own.taken > made) {
      return `${described(build)} was taken back after the plan was made: a new plan has it only by name`;
    }
    const newer = candidates.find(
      (one) => one.state === 'waiting' && one.time > made && placeOf(one) === placeOf(build) && one !== own,
    );
    if (newer === undefined) continue;
    return `${described(build)} was superseded by ${described(newer)}, merged after the plan was made: make a new plan`;
  }
  return null;
}

/** What waits in the place of a release and is older: once that is shown, nobody can be offered it any more. */
export function overtakenBy(
  released: PlannedRelease & Pick<Candidate, 'time'>,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const waiting = candidates.filter(({ state, release }) => state === 'waiting' && release !== released.release);
  return waiting.filter((one) => placeOf(one) === placeOf(released) && one.time < released.time);
}

function placeOf({ project, branch, platform, repository }: PlannedRelease): string {
  return JSON.stringify([project, branch, platform, repository]);
}

function described({ project, packages, change }: PlannedRelease): string {
  return `${project} ${packages[0]?.version ?? ''} of ${change}`;
}

/** What a released repository gains and loses by a plan. */
export interface RepositoryChange {
  readonly repository: string;
  /** `replaces`: the newest version of it that is there now; null where there is none. */
  readonly gains: readonly (NamedPackage & { readonly replaces: string | null })[];
  /** `leaves`: the newest version of it that is there afterwards; null where there is none. */
  readonly loses: readonly (NamedPackage & { readonly leaves: string | null })[];
}

/** What stands in a repository after a publication and did not before, and the other way round. */
export function repositoryChange(
  repository: string,
  lists: { readonly before: readonly NamedPackage[]; readonly after: readonly NamedPackage[] },
  compareVersions: (a: string, b: string) => number,
): RepositoryChange {
  const without = (all: readonly NamedPackage[], others: readonly NamedPackage[]) => {
    const keys = new Set(others.map(packageKey));
    return all.filter((one) => !keys.has(packageKey(one)));
  };
  const newest = (all: readonly NamedPackage[], { name, arch }: NamedPackage) => {
    const versions = all.filter((one) => one.name === name && one.arch === arch).map(({ version }) => version);
    return versions.toSorted(compareVersions).at(-1) ?? null;
  };
  const { before, after } = lists;
  return {
    repository,
    gains: without(after, before).map((one) => ({ ...one, replaces: newest(before, one) })),
    loses: without(before, after).map((one) => ({ ...one, leaves: newest(after, one) })),
  };
}

/** Tells a package in a repository from all others there. */
export function packageKey({ name, version, arch }: Omit<NamedPackage, 'format'>): string {
  return JSON.stringify([name, version, arch]);
}
