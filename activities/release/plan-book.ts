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
import { placeOf } from '../jobs/released-in.ts';
import type { PreparedRelease, ReleasePlanRecord, ReleaseRecord } from '../report/types.ts';
import type { Begun, PlanBookDeps } from './plan-port.ts';
import { lookAtRevert, namesOf, releasedOf, type TakeBackWish } from './take-back.ts';

/** What is known of release plans, and what becomes of the releases in them. */
export interface PlanBook {
  /** Makes a plan of what waits. @param name absent: one that names the day */
  make(by: string, wish: PlanWish, name?: string): Promise<MadePlan>;
  /** Makes a plan of what is released of a change, as one that was carried out and may be taken back. */
  makeReleased(by: string, wish: TakeBackWish): Promise<MadePlan>;
  /** What taking a change back would do to each repository. Writes nothing. */
  lookAtChange(wish: TakeBackWish): Promise<Begun>;
  /** Forgets a plan that was not carried out; what it names waits on. @returns why not, null once it is gone */
  remove(plan: string): Promise<string | null>;
  /** What each repository would get, or why the plan cannot be carried out. Writes nothing. */
  look(of: Pick<ReleasePlanInput, 'plan' | 'action'>): Promise<Begun>;
  /** The same, written down. */
  begin(input: ReleasePlanInput & { readonly time: number }): Promise<Begun>;
  /** Writes down how it ended. @returns what mirrors are to hear of */
  end(input: PlanEnd): Promise<readonly ShownRelease[]>;
}

type MadePlan = ReleasePlanRecord | { readonly refused: string };

type PlanEnd = ReleasePlanInput & ReleasePlanOutcome & { readonly shown: readonly string[]; readonly time: number };

type ShownRelease = NonNullable<ReturnType<typeof placeOf>> & { readonly release: string };

export function createPlanBook(deps: PlanBookDeps): PlanBook {
  return {
    make: (by, wish, name) => make(deps, { by, wish, name }),
    makeReleased: (by, wish) => makeReleased(deps, by, wish),
    lookAtChange: (wish) => lookAtChange(deps, wish),
    remove: (plan) => remove(deps, plan),
    look: (of) => look(deps, of),
    begin: (input) => begin(deps, input),
    end: (input) => end(deps, input),
  };
}

interface Making {
  readonly by: string;
  readonly wish: PlanWish;
  readonly name: string | undefined;
}

async function make(deps: PlanBookDeps, { by, wish, name }: Making): Promise<MadePlan> {
  const choice = chooseReleases((await deps.candidates()).flatMap(candidateOf), wish);
  if ('refused' in choice) return choice;
  const plan = { by, state: 'planned', builds: choice.chosen } as const;
  if (name === undefined) return addNumbered(deps, plan, new Date().toISOString().slice(0, 10));
  const record = recordOf(deps, plan, name);
  if (await deps.add(record)) return record;
  return { refused: `there is a release plan ${name} already: give it another name` };
}

async function makeReleased(deps: PlanBookDeps, by: string, wish: TakeBackWish): Promise<MadePlan> {
  const builds = await releasedOf(deps, wish);
  if ('refused' in builds) return builds;
  const begun = await lookAtRevert(deps, { id: wish.change, builds });
  if ('refused' in begun) return begun;
  return addNumbered(deps, { by, state: 'published', builds }, `back-${nameOfChange(wish.change)}`);
}

async function lookAtChange(deps: PlanBookDeps, wish: TakeBackWish): Promise<Begun> {
  const builds = await releasedOf(deps, wish);
  return 'refused' in builds ? builds : lookAtRevert(deps, { id: wish.change, builds });
}

async function remove(deps: PlanBookDeps, plan: string): Promise<string | null> {
  if (await deps.remove(plan, ['planned', 'failed'])) return null;
  const record = await deps.find(plan);
  if (record === undefined) return unknownPlan(plan);
  return `the release plan ${plan} is ${record.state}: only one that was not carried out is removed`;
}

async function look(deps: PlanBookDeps, { plan, action }: Pick<ReleasePlanInput, 'plan' | 'action'>): Promise<Begun> {
  const record = await deps.find(plan);
  if (record === undefined) return { refused: unknownPlan(plan) };
  return action === 'commit' ? lookAtCommit(deps, record) : lookBack(deps, record);
}

async function begin(
  deps: PlanBookDeps,
  { plan, action, by, time }: ReleasePlanInput & { readonly time: number },
): Promise<Begun> {
  const begun = await look(deps, { plan, action });
  const record = await deps.find(plan);
  if ('refused' in begun || record === undefined) return begun;
  const deeds = [...record.deeds.filter((deed) => deed.time !== time), { did: action, by, time }];
  const there = await deps.save({ ...record, state: 'running', deeds, endTime: null });
  return there ? begun : { refused: unknownPlan(plan) };
}

async function end(deps: PlanBookDeps, input: PlanEnd): Promise<readonly ShownRelease[]> {
  const { plan, action, ok, shown, time } = input;
  const record = await deps.find(plan);
  if (record === undefined) return [];
  const releases = await deps.releases(record.builds.map(({ release }) => release));
  const over = releases.filter((one) => shown.includes(placeOf(one)?.repository ?? ''));
  const state = action === 'commit' ? 'published' : 'reverted';
  for (const one of over) {
    await deps.recordRelease({ ...one, state, summary: toldOf(one, state, plan), endTime: time });
  }
  if (action === 'commit') await supersede(deps, record, { over, time });
  else await closeEmptied(deps, plan, { over, time });
  const partly = !ok && shown.length > 0 ? `; shown before: ${shown.join(', ')}` : '';
  const failed = action === 'commit' ? 'failed' : 'published';
  const summary = `${input.summary}${partly}`;
  await deps.save({ ...record, state: ok ? state : failed, summary, endTime: time });
  const told = new Map(over.flatMap((one) => placeOf(one) ?? []).map((place) => [place.repository, place]));
  return [...told.values()].map((place) => ({ ...place, release: plan }));
}

interface NewPlan extends Pick<ReleasePlanRecord, 'state' | 'builds'> {
  readonly by: string;
}

/** Adds a plan under the first name with a number that is not taken. */
async function addNumbered(deps: PlanBookDeps, plan: NewPlan, prefix: string): Promise<ReleasePlanRecord> {
  for (let number = 1; ; number += 1) {
    const record = recordOf(deps, plan, `${prefix}-${number}`);
    if (await deps.add(record)) return record;
  }
}

function recordOf({ tenant }: PlanBookDeps, { by, ...plan }: NewPlan, id: string): ReleasePlanRecord {
  const time = Date.now();
  return { id, tenant, ...plan, summary: '', deeds: [{ did: 'plan', by, time }], startTime: time, endTime: null };
}

/** A change in the name of a plan. */
function nameOfChange(change: string): string {
  return change
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, '-')
    .slice(0, 80);
}

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

/** A plan of which nothing is shown any more was taken back, whichever plan did so. */
async function closeEmptied(
  deps: PlanBookDeps,
  by: string,
  { over, time }: { readonly over: readonly ReleaseRecord[]; readonly time: number },
): Promise<void> {
  const plans = await deps.naming(over.map(({ id }) => id));
  for (const plan of plans.filter(({ id, state }) => id !== by && state === 'published')) {
    const releases = await deps.releases(plan.builds.map(({ release }) => release));
    if (releases.some(({ state }) => state === 'published')) continue;
    const summary = `${namesOf(plan.builds)} taken back by plan ${by}`;
    await deps.save({ ...plan, state: 'reverted', summary, endTime: time });
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
  const { id, project, branch, change, patchset, packages, prepared, state, startTime, endTime } = record;
  if (prepared === undefined || (state !== 'waiting' && state !== 'reverted')) return [];
  const { repository, platform, build } = prepared;
  // A source is several files of one name.
  const unique = [...new Map(packages.map((one) => [packageKey(one), one])).values()];
  const named = unique.map(({ format, name, version, arch }) => ({ format, name, version, arch }));
  const of = { project, branch, change, patchset, repository, platform, build };
  const taken = state === 'reverted' ? endTime : null;
  return [{ release: id, ...of, packages: named, state, time: startTime, taken }];
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

async function lookBack(deps: PlanBookDeps, record: ReleasePlanRecord): Promise<Begun> {
  const { id, state, deeds } = record;
  const again = state === 'running' && deeds.at(-1)?.did === 'revert';
  if (state === 'published' || again) return lookAtRevert(deps, record);
  return { refused: `the release plan ${id} is ${state}: only what was published is taken back` };
}

function lineFor(rules: ReleaseRules, { format, platform, merged }: PreparedRelease) {
  return lineOf(rules, { format, platform, branch: merged.branch });
}
