import type { PackageFormat, SourceState } from '../../pipelines/model/artifact.ts';
import { lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import {
  type Candidate,
  chooseReleases,
  overtakenBy,
  type PlanWish,
  packageKey,
  whyOutdated,
} from '../../pipelines/policy/release-plan.ts';
import type { ReleasePlanInput, ReleasePlanOutcome } from '../../workflows/contract.ts';
import { isReleasedIn } from '../jobs/released-in.ts';
import type { PlanAction, PreparedRelease, ReleasePlanRecord, ReleaseRecord } from '../report/types.ts';

export interface PlanBookDeps {
  readonly tenant: string;
  readonly rules: ReleaseRules;
  find(plan: string): Promise<ReleasePlanRecord | undefined>;
  /** @returns false where there is a plan of that name */
  add(record: ReleasePlanRecord): Promise<boolean>;
  /** @returns false where there is no such plan any more */
  save(record: ReleasePlanRecord): Promise<boolean>;
  /** Removes a plan in one of these states. @returns false where none is there */
  remove(plan: string, states: readonly ReleasePlanRecord['state'][]): Promise<boolean>;
  /** Releases that wait, and those that were taken back. */
  candidates(): Promise<readonly ReleaseRecord[]>;
  releases(ids: readonly string[]): Promise<readonly ReleaseRecord[]>;
  /** The last releases of a project. */
  releasesOf(project: string): Promise<readonly ReleaseRecord[]>;
  recordRelease(record: ReleaseRecord): Promise<void>;
}

/** What one released repository gets by a plan, or has no more. */
export interface PlannedState {
  readonly repository: string;
  readonly codename: string;
  readonly format: PackageFormat;
  readonly builds: readonly Pick<PreparedRelease, 'manifest' | 'signed' | 'envelopes'>[];
  readonly merged: readonly SourceState[];
  /** Keys of packages that a revert takes out; empty for a commit. */
  readonly remove: readonly string[];
}

type Begun = { readonly states: readonly PlannedState[]; readonly summary: string } | { readonly refused: string };

/** What is known of release plans, and what becomes of the releases in them. */
export function createPlanBook(deps: PlanBookDeps) {
  const look = async ({ plan, action }: { readonly plan: string; readonly action: PlanAction }): Promise<Begun> => {
    const record = await deps.find(plan);
    if (record === undefined) return { refused: unknownPlan(plan) };
    return action === 'commit' ? lookAtCommit(deps, record) : lookAtRevert(deps, record);
  };
  return {
    /** Makes a plan of what waits. @param name absent: one that names the day */
    async make(by: string, wish: PlanWish, name?: string): Promise<ReleasePlanRecord | { readonly refused: string }> {
      const choice = chooseReleases((await deps.candidates()).flatMap(candidateOf), wish);
      if ('refused' in choice) return choice;
      const time = Date.now();
      const day = new Date(time).toISOString().slice(0, 10);
      for (let number = 1; ; number += 1) {
        const id = name ?? `${day}-${number}`;
        const deeds = [{ did: 'plan', by, time }] as const;
        const common = { tenant: deps.tenant, state: 'planned', summary: '', startTime: time, endTime: null } as const;
        const record: ReleasePlanRecord = { id, ...common, builds: choice.chosen, deeds };
        if (await deps.add(record)) return record;
        if (name !== undefined) return { refused: `there is a release plan ${name} already: give it another name` };
      }
    },

    /** Forgets a plan that was not carried out; what it names waits on. @returns why not, null once it is gone */
    async remove(plan: string): Promise<string | null> {
      if (await deps.remove(plan, ['planned', 'failed'])) return null;
      const record = await deps.find(plan);
      if (record === undefined) return unknownPlan(plan);
      return `the release plan ${plan} is ${record.state}: only one that was not carried out is removed`;
    },

    /** What each repository would get, or why the plan cannot be carried out. Writes nothing. */
    look,

    /** The same, written down. */
    async begin({ plan, action, by, time }: ReleasePlanInput & { readonly time: number }): Promise<Begun> {
      const begun = await look({ plan, action });
      const record = await deps.find(plan);
      if ('refused' in begun || record === undefined) return begun;
      const deeds = [...record.deeds.filter((deed) => deed.time !== time), { did: action, by, time }];
      const there = await deps.save({ ...record, state: 'running', deeds, endTime: null });
      return there ? begun : { refused: unknownPlan(plan) };
    },

    /** Writes down how it ended. @returns what mirrors are to hear of */
    async end(
      input: ReleasePlanInput & ReleasePlanOutcome & { readonly shown: readonly string[]; readonly time: number },
    ) {
      const { plan, action, ok, shown, time } = input;
      const record = await deps.find(plan);
      if (record === undefined) return [];
      const releases = await deps.releases(record.builds.map(({ release }) => release));
      const over = releases.filter(({ prepared }) => shown.includes(prepared?.repository ?? ''));
      const state = action === 'commit' ? 'published' : 'reverted';
      for (const one of over) {
        await deps.recordRelease({ ...one, state, summary: toldOf(one, state, plan), endTime: time });
      }
      if (action === 'commit') await supersede(deps, record, { over, time });
      const partly = !ok && shown.length > 0 ? `; shown before: ${shown.join(', ')}` : '';
      const failed = action === 'commit' ? 'failed' : 'published';
      const summary = `${input.summary}${partly}`;
      await deps.save({ ...record, state: ok ? state : failed, summary, endTime: time });
      const told = new Map(over.flatMap(({ prepared }) => (prepared ? [[prepared.repository, prepared.format]] : [])));
      return [...told].map(([repository, format]) => ({ format, repository, release: plan }));
    },
  };
}

export type PlanBook = ReturnType<typeof createPlanBook>;

/** What waits in the place of something newer that was shown is in no plan any more. */
async function supersede(
  deps: PlanBookDeps,
  { id: plan, builds }: ReleasePlanRecord,
  { over, time }: { readonly over: readonly ReleaseRecord[]; readonly time: number },
): Promise<void> {
  const records = await deps.candidates();
  const candidates = records.flatMap(candidateOf);
  for (const { id, startTime } of over) {
    const build = builds.find(({ release }) => release === id);
    const overtaken = build === undefined ? [] : overtakenBy({ ...build, time: startTime }, candidates);
    for (const record of records.filter((one) => overtaken.some(({ release }) => release === one.id))) {
      const summary = `superseded by ${namesOf(build === undefined ? [] : [build])} of plan ${plan}`;
      await deps.recordRelease({ ...record, state: 'superseded', summary, endTime: time });
    }
  }
}

function unknownPlan(plan: string): string {
  return `there is no release plan ${plan}: see \`sluice release list\``;
}

function toldOf({ packages }: ReleaseRecord, state: 'published' | 'reverted', plan: string): string {
  const names = [...new Set(packages.map(({ name, version }) => `${name} ${version}`))].join(', ');
  return state === 'published' ? `${names} by plan ${plan}` : `${names} taken back by plan ${plan}`;
}

function candidateOf(record: ReleaseRecord): readonly Candidate[] {
  const { id, project, branch, change, patchset, packages, prepared, state, startTime } = record;
  if (prepared === undefined || (state !== 'waiting' && state !== 'reverted')) return [];
  const { repository, platform, build } = prepared;
  // A source is several files of one name.
  const unique = [...new Map(packages.map((one) => [packageKey(one), one])).values()];
  const named = unique.map(({ format, name, version, arch }) => ({ format, name, version, arch }));
  const of = { project, branch, change, patchset, repository, platform, build };
  return [{ release: id, ...of, packages: named, state, time: startTime }];
}

async function lookAtCommit(deps: PlanBookDeps, record: ReleasePlanRecord): Promise<Begun> {
  const { id, state, builds, startTime } = record;
  if (state === 'published') return { refused: `the release plan ${id} was committed already` };
  if (state === 'reverted') return { refused: `the release plan ${id} was taken back: make a new plan` };
  const candidates = await deps.candidates();
  const outdated = whyOutdated(builds, candidates.flatMap(candidateOf), startTime);
  if (outdated !== null) return { refused: outdated };
  const planned = new Set(builds.map(({ release }) => release));
  const prepared = candidates.flatMap((one) => (planned.has(one.id) && one.prepared ? [one.prepared] : []));
  const moved = prepared.find((one) => lineFor(deps.rules, one).repository !== one.repository);
  if (moved !== undefined) {
    const { project } = moved.merged;
    return {
      refused: `${project} was signed for ${moved.repository}, and goes into ${lineFor(deps.rules, moved).repository} since the lines were changed: run its release job again`,
    };
  }
  const states = [...Map.groupBy(prepared, ({ repository }) => repository)].map(([repository, all]) => {
    const [{ codename }, format] = [lineFor(deps.rules, all[0] as PreparedRelease), (all[0] as PreparedRelease).format];
    const merged = all.map((one) => one.merged);
    const parts = all.map(({ manifest, signed, envelopes }) => ({ manifest, signed, envelopes }));
    return { repository, codename, format, builds: parts, merged, remove: [] };
  });
  return { states, summary: `released ${namesOf(builds)}` };
}

async function lookAtRevert(deps: PlanBookDeps, record: ReleasePlanRecord): Promise<Begun> {
  const { id, state, builds, deeds } = record;
  const again = state === 'running' && deeds.at(-1)?.did === 'revert';
  if (state !== 'published' && !again) {
    return { refused: `the release plan ${id} is ${state}: only what was published is taken back` };
  }
  const own = await deps.releases(builds.map(({ release }) => release));
  const states: PlannedState[] = [];
  for (const [repository, releases] of Map.groupBy(own, ({ prepared }) => prepared?.repository ?? '')) {
    const format = releases[0]?.prepared?.format;
    if (format === undefined) continue;
    const others = await othersIn(deps, { repository, format }, releases);
    const keys = releases.flatMap(({ packages }) => packages.map(packageKey));
    const remove = [...new Set(keys)].filter((key) => !others.has(key));
    if (remove.length > 0) states.push({ repository, codename: '', format, builds: [], merged: [], remove });
  }
  if (states.length === 0) {
    return {
      refused: `nothing is known to be there of ${id} alone: its packages were released again, or elsewhere, since`,
    };
  }
  return { states, summary: `took back ${namesOf(builds)}` };
}

/** Keys of the packages that other releases have put into the same repository: these stay. */
async function othersIn(
  deps: PlanBookDeps,
  of: Pick<PlannedState, 'repository' | 'format'>,
  own: readonly ReleaseRecord[],
): Promise<ReadonlySet<string>> {
  const ids = new Set(own.map(({ id }) => id));
  const projects = new Set(own.map(({ project }) => project));
  const all = (await Promise.all([...projects].map((project) => deps.releasesOf(project)))).flat();
  const others = all.filter((one) => one.state === 'published' && !ids.has(one.id) && isReleasedIn(one, of));
  return new Set(others.flatMap(({ packages }) => packages.map(packageKey)));
}

function lineFor(rules: ReleaseRules, { format, platform, merged }: PreparedRelease) {
  return lineOf(rules, { format, platform, branch: merged.branch });
}

function namesOf(builds: ReleasePlanRecord['builds']): string {
  const names = builds.map(({ project, packages }) => `${project} ${packages[0]?.version ?? ''}`);
  return [...new Set(names)].join(', ');
}
