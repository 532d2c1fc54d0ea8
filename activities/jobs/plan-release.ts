import { packagesOf, type SourceState } from '../../pipelines/model/artifact.ts';
import { notMerged, otherTree, refusedBy } from '../../pipelines/report/walls.ts';
import type { ReleasePlan } from '../../workflows/activities.ts';
import type { BuildRecord, StageInput } from '../../workflows/contract.ts';
import { parseReleaseId } from '../../workflows/ids.ts';
import type { MergedState, StateName } from '../git/merged.ts';
import { testRepositories } from '../install/repositories.ts';
import type { ReleaseRecord } from '../report/types.ts';
import { isReleasedIn } from './released-in.ts';

export interface ReleasePlanDeps {
  /** Successful builds of a patch set, latest first. */
  readonly builds: (of: { readonly change: string; readonly patchset: number }) => Promise<readonly BuildRecord[]>;
  /** Asks the host whether the branch is or was at a commit. */
  readonly merged: (of: StateName) => Promise<MergedState | null>;
  /** Where clients find what is released of a branch for the platform of that name. */
  readonly repositories: (of: { readonly label: string; readonly branch: string }) => ReleasePlan['repositories'];
  /** Whether what is merged waits there for a release plan. Absent: nothing waits. */
  readonly waits?: (of: { readonly label: string; readonly branch: string }) => boolean;
  /** Platforms of other architectures that are released beside that one. Absent: none are. */
  readonly beside?: (of: Pick<StageInput, 'build'> & { readonly label: string }) => Promise<readonly string[]>;
  /** The last releases of a change. */
  readonly releases?: (change: string) => Promise<readonly ReleaseRecord[]>;
}

/**
 * Finds what a release is about: the merged state, and the packages that were built of the change for its platform, with
 * those for other architectures that are shown at the same moment.
 */
export function createReleasePlanner(deps: ReleasePlanDeps) {
  return async ({ build, source, nodes }: StageInput): Promise<ReleasePlan> => {
    const { tenant, change, patchset, project, branch, buildSet } = build;
    const labels = nodes.map(({ label }) => label);
    const builds = await deps.builds({ change, patchset });
    const of = { label: labels[0] ?? '', branch };
    const waits = deps.waits?.(of) === true;
    const own = tried(builds, labels).slice(0, 1);
    // A release plan shows together what waits.
    const manifests =
      own.length === 0 || waits ? own : [...own, ...(await builtBeside(deps, builds, { build, ...of }))];
    const looked = await lookUp(deps, { project, branch }, source);
    const merged = 'refused' in looked ? source : looked;
    const input = { tenant, change, patchset, project, branch, merged, manifests, buildSet };
    const refused = 'refused' in looked ? { refused: looked.refused } : {};
    const repositories = deps.repositories(of);
    if (!waits) return { input, repositories, ...refused };
    const same = (await deps.releases?.(change))?.find((one) => isSame(one, { ...of, merged, repositories }));
    const released = same === undefined ? {} : { released: same.summary };
    return { input, repositories, waits: true, ...released, ...refused };
  };
}

/** What was built for the other architectures that go into the same released repository. */
async function builtBeside(
  deps: ReleasePlanDeps,
  builds: readonly BuildRecord[],
  { build, ...of }: Pick<StageInput, 'build'> & { readonly label: string; readonly branch: string },
): Promise<readonly string[]> {
  const namesFor = (label: string) => deps.repositories({ ...of, label }).map(({ format, name = format }) => name);
  const others = (await deps.beside?.({ build, label: of.label })) ?? [];
  const there = others.filter((label) => String(namesFor(label)) === String(namesFor(of.label)));
  return there.flatMap((label) => tried(builds, [label]).slice(0, 1));
}

/** Whether a record tells of what is to be released, in the place where it would go. */
function isSame(
  record: ReleaseRecord,
  of: { readonly label: string; readonly merged: SourceState } & Pick<ReleasePlan, 'repositories'>,
): boolean {
  const { id, workflow = id, state, branch, commit } = record;
  const { branch: own, commit: tip } = of.merged;
  if (state !== 'published' || branch !== own || commit !== tip) return false;
  if (parseReleaseId(workflow).repository !== of.label) return false;
  return of.repositories.some(({ format, name = format }) => isReleasedIn(record, { repository: name, format }));
}

/** What the job says that was merged, as the host has it: a job's input is a claim, whoever started it. */
async function lookUp(
  deps: ReleasePlanDeps,
  of: Pick<SourceState, 'project' | 'branch'>,
  { project, branch, commit, tree }: SourceState,
): Promise<SourceState | { readonly refused: string }> {
  if (project !== of.project || branch !== of.branch) {
    const why = `the job is about ${of.branch} of ${of.project}, and its source is ${branch} of ${project}`;
    return { refused: refusedBy('release stage', why) };
  }
  const found = await deps.merged({ project, branch, commit });
  if (found === null) return { refused: refusedBy('release stage', notMerged({ project, branch, commit })) };
  if (found.tree === tree) return { project, branch, commit, tree };
  return { refused: refusedBy('release stage', otherTree(commit, { is: found.tree, said: tree })) };
}

/**
 * The builds whose packages went into a test repository, latest first: a build that was run again afterwards is one that
 * nobody has tried. Where nothing publishes test repositories, all of them.
 */
function tried(builds: readonly BuildRecord[], platforms: readonly string[]): readonly string[] {
  const own = ({ platform }: { readonly platform: string }) => platforms.includes(platform);
  const built = builds.filter(({ stage }) => stage === 'build').flatMap(({ artifacts }) => packagesOf(artifacts));
  const manifests = [...new Set(built.filter(own).map(({ manifest }) => manifest))];
  const publishes = builds.filter(({ stage }) => stage === 'publish');
  const shown = publishes.flatMap(({ artifacts }) => testRepositories(artifacts).map(({ metadata }) => metadata));
  const published = new Set(shown.filter(own).map(({ manifest }) => manifest));
  return published.size === 0 ? manifests : manifests.filter((manifest) => published.has(manifest));
}
