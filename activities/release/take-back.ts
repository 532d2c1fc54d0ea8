import { type PlannedRelease, packageKey } from '../../pipelines/policy/release-plan.ts';
import { parseReleaseId } from '../../workflows/ids.ts';
import { isReleasedIn, placeOf } from '../jobs/released-in.ts';
import type { ReleasedPackage, ReleasePlanRecord, ReleaseRecord } from '../report/types.ts';
import type { Begun, PlanBookDeps, PlannedState } from './plan-port.ts';

/** What somebody wants taken back without a plan. */
export interface TakeBackWish {
  readonly change: string;
  /** Released repositories; none: all. */
  readonly lines: readonly string[];
}

/** What is released of a change, as a plan that was carried out, or why there is nothing to take back. */
export async function releasedOf(
  deps: Pick<PlanBookDeps, 'releasesOfChange'>,
  { change, lines }: TakeBackWish,
): Promise<readonly PlannedRelease[] | { readonly refused: string }> {
  const published = (await deps.releasesOfChange(change)).filter(({ state }) => state === 'published');
  const all = published.flatMap(asPlanned);
  const wanted = all.filter(({ repository }) => lines.length === 0 || lines.includes(repository));
  if (wanted.length > 0) return wanted;
  const elsewhere = [...new Set(all.map(({ repository }) => repository))].join(', ');
  const where = lines.length === 0 ? '' : ` in ${lines.join(', ')}`;
  return { refused: `nothing of ${change} is released${where}${elsewhere === '' ? '' : `: it is in ${elsewhere}`}` };
}

function asPlanned(record: ReleaseRecord): readonly PlannedRelease[] {
  const { id, workflow = id, project, branch, change, patchset, packages, prepared } = record;
  const repository = placeOf(record)?.repository;
  if (repository === undefined) return [];
  const platform = prepared?.platform ?? parseReleaseId(workflow).repository;
  const build = prepared === undefined ? {} : { build: prepared.build };
  const unique = [...new Map(packages.map((one) => [packageKey(one), one])).values()];
  const named = unique.map(({ format, name, version, arch }) => ({ format, name, version, arch }));
  return [{ release: id, project, branch, change, patchset, repository, platform, ...build, packages: named }];
}

/** What the repositories of a plan that was carried out are without its packages. */
export async function lookAtRevert(
  deps: PlanBookDeps,
  { id, builds }: Pick<ReleasePlanRecord, 'id' | 'builds'>,
): Promise<Begun> {
  const own = await deps.releases(builds.map(({ release }) => release));
  const states: PlannedState[] = [];
  for (const [repository, releases] of Map.groupBy(own, (one) => placeOf(one)?.repository ?? '')) {
    const format = placeOf(releases[0])?.format;
    if (format === undefined) continue;
    const others = await othersIn(deps, { repository, format }, releases);
    const there = new Set(others.flatMap(({ packages }) => packages.map(packageKey)));
    const keys = releases.flatMap(({ packages }) => packages.map(packageKey));
    const remove = [...new Set(keys)].filter((key) => !there.has(key));
    const restore = newestOf(others).filter((one) => one.format === format);
    if (remove.length > 0) states.push({ repository, codename: '', format, builds: [], merged: [], remove, restore });
  }
  if (states.length === 0) {
    return {
      refused: `nothing is known to be there of ${id} alone: its packages were released again, or elsewhere, since`,
    };
  }
  return { states, summary: `took back ${namesOf(builds)}` };
}

/** Other releases that have put packages of the same projects into the same repository: these stay. */
async function othersIn(
  deps: PlanBookDeps,
  of: Pick<PlannedState, 'repository' | 'format'>,
  own: readonly ReleaseRecord[],
): Promise<readonly ReleaseRecord[]> {
  const ids = new Set(own.map(({ id }) => id));
  const projects = new Set(own.map(({ project }) => project));
  const all = (await Promise.all([...projects].map((project) => deps.releasesOf(project)))).flat();
  return all.filter((one) => one.state === 'published' && !ids.has(one.id) && isReleasedIn(one, of));
}

/** What the last release of each project had put there, on all its platforms. */
function newestOf(releases: readonly ReleaseRecord[]): readonly ReleasedPackage[] {
  const time = ({ endTime, startTime }: ReleaseRecord) => endTime ?? startTime;
  return [...Map.groupBy(releases, ({ project }) => project).values()].flatMap((all) => {
    const last = all.reduce((one, other) => (time(other) >= time(one) ? other : one));
    return all.filter(({ commit }) => commit === last.commit).flatMap(({ packages }) => packages);
  });
}

/** What was released, in a few words. */
export function namesOf(builds: ReleasePlanRecord['builds']): string {
  const names = builds.map(({ project, packages }) => `${project} ${packages[0]?.version ?? ''}`);
  return [...new Set(names)].join(', ');
}
