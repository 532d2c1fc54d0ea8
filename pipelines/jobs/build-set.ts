import { isForged } from '../model/forged.ts';
import type { BuildResult, FrozenJob, JobGraph } from '../model/job.ts';
import { related, relations } from './graph.ts';
import type { Build, BuildOutcome, BuildSetEvent, BuildSetState } from './state.ts';

/** The progress of a graph of which nothing has run yet. */
export function startBuildSet(graph: JobGraph): BuildSetState {
  return { graph, builds: [], canceled: false, reporting: false, spent: {} };
}

/** The build that stands for each job: its latest that was not superseded. Worked out once for each state. */
export function currentBuilds(state: BuildSetState): ReadonlyMap<string, Build> {
  const found = currents.get(state.builds);
  if (found) return found;
  const made = new Map<string, Build>();
  for (const build of state.builds) if (!build.superseded) made.set(build.job, build);
  currents.set(state.builds, made);
  return made;
}

const currents = new WeakMap<readonly Build[], ReadonlyMap<string, Build>>();

/**
 * What the state becomes by an event. Events about builds that are unknown or have ended, or about a cancelled
 * build set, change nothing: they are late answers.
 */
export function applyBuild(state: BuildSetState, event: BuildSetEvent): BuildSetState {
  switch (event.type) {
    case 'started':
      return started(state, event);
    case 'waiting':
      return change(state, event.build, (build) => ({ ...build, ...waitFor(event) }));
    case 'failing':
      return change(state, event.build, (build) => ({ ...build, failing: true }));
    case 'paused':
      return settle(
        change(state, event.build, (build) => ({ ...taken(state, build, event.outcome), paused: true })),
        event,
      );
    case 'ended':
      return ended(state, event.build, event.outcome);
    case 'refused':
      return refused(state, event);
    case 'retrigger':
      return event.whole ? rerun(state, event.job) : retriggered(state, event.job);
    case 'canceled':
      return { ...cancelAll(state, event.time), canceled: true };
    case 'reported':
      return { ...state, reporting: true };
  }
}

/** Key of the next attempt at a job. */
export function nextBuild(state: BuildSetState, job: string): { readonly key: string; readonly attempt: number } {
  let attempt = 1;
  for (const build of state.builds) if (build.job === job) attempt += 1;
  return { key: `${job}/${attempt}`, attempt };
}

/** Keys of the attempts that stand for jobs without a result, begun or next. */
export function withoutResult(state: BuildSetState | null): readonly string[] {
  if (state === null) return [];
  const current = currentBuilds(state);
  return state.graph.jobs.flatMap(({ key }) => {
    const build = current.get(key) ?? { ...nextBuild(state, key), result: null };
    return build.result === null ? [build.key] : [];
  });
}

function started(state: BuildSetState, event: BuildSetEvent & { type: 'started' }): BuildSetState {
  const job = event.build.slice(0, event.build.lastIndexOf('/'));
  const wanted = nextBuild(state, job);
  const expected = wanted.key === event.build && relations(state.graph).jobs.has(job) && !currentBuilds(state).has(job);
  if (state.canceled || !expected) return state;
  const node = event.node === undefined ? {} : { node: event.node };
  return add(state, [{ ...blank(job, wanted.attempt), startTime: event.time, ...node }]);
}

function waitFor({ reasons, time }: BuildSetEvent & { type: 'waiting' }): Pick<Build, 'waiting' | 'startTime'> {
  return { waiting: reasons, startTime: reasons.length > 0 ? null : time };
}

function ended(state: BuildSetState, key: string, outcome: BuildOutcome): BuildSetState {
  const job = key.slice(0, key.lastIndexOf('/'));
  const frozen = relations(state.graph).jobs.get(job);
  if (!frozen) return state;
  const neverRan = nextBuild(state, job).key === key && !currentBuilds(state).has(job) && !state.canceled;
  const known = neverRan ? add(state, [blank(job, nextBuild(state, job).attempt)]) : state;
  const build = known.builds.find((one) => one.key === key);
  if (!build || build.result !== null) return state;
  const untried = outcome.result === 'NODE_FAILURE' && outcome.nextAlternative === true;
  const result = untried ? 'RETRY' : finalResult(state, frozen, build, outcome.result);
  // Where nobody could be told of its beginning, that is noted late, or never: then the outcome tells it.
  const startTime = build.startTime ?? outcome.startTime ?? null;
  const end = {
    paused: false,
    result,
    endTime: outcome.time,
    ...(startTime === null ? {} : { startTime: Math.min(startTime, outcome.time) }),
    ...(result === 'SKIPPED' && { excluded: true as const }),
  };
  const next = change(known, key, (one) => ({ ...taken(state, one, outcome), ...end }));
  if (result === 'RETRY') return retried(untried ? spare(next, job) : next, key, outcome);
  const settled = settleJob(next, job, outcome.time);
  const stop = state.graph.failFast && frozen.voting && failed(result);
  return stop ? cancelAll(settled, outcome.time) : settled;
}

/** An attempt that is worth another becomes RETRY while there are attempts left; a lost executor always does. */
function finalResult(state: BuildSetState, job: FrozenJob, build: Build, result: BuildResult): BuildResult {
  if (result === 'ABORTED') return 'RETRY';
  const last = build.attempt - (state.spent[job.key] ?? 0) >= job.attempts;
  if (result === 'RETRY') return last ? 'RETRY_LIMIT' : 'RETRY';
  return result === 'MERGE_CONFLICT' && !last ? 'RETRY' : result;
}

/** An attempt that never had its nodes is none of those that a job has. */
function spare(state: BuildSetState, job: string): BuildSetState {
  return { ...state, spent: { ...state.spent, [job]: (state.spent[job] ?? 0) + 1 } };
}

/** A build to be retried leaves its place, and all that ran on top of it (it may have been paused) runs again. */
function retried(state: BuildSetState, key: string, outcome: BuildOutcome): BuildSetState {
  const build = state.builds.find((one) => one.key === key);
  const children = related(relations(state.graph).children, build?.job ?? '');
  const builds = state.builds.map((one) => {
    if (one.key === key) return retire(outcome.nextAlternative ? { ...one, nextAlternative: true } : one);
    return children.has(one.job) && !one.superseded ? retire(stopped(one, outcome.time)) : one;
  });
  return settleAll({ ...state, builds }, outcome.time);
}

function refused(state: BuildSetState, event: BuildSetEvent & { type: 'refused' }): BuildSetState {
  if (state.canceled || currentBuilds(state).has(event.job)) return state;
  const { attempt } = nextBuild(state, event.job);
  const build = {
    ...blank(event.job, attempt),
    result: 'FAILURE' as const,
    endTime: event.time,
    summary: event.reason,
  };
  return settleJob(add(state, [build]), event.job, event.time);
}

/** Besides the job itself, what was skipped or cancelled because of a failure gets its chance again. */
function retriggered(state: BuildSetState, job: string): BuildSetState {
  const current = currentBuilds(state).get(job);
  if (state.canceled || !current || current.result === null) return state;
  const builds = state.builds.map((one) => {
    if (one.superseded) return one;
    const victim = one.result === 'CANCELED' || one.result === 'SKIPPED';
    return one.job === job || victim ? retire(one) : one;
  });
  const spent = { ...state.spent, [job]: current.attempt };
  return settleAll({ ...state, builds, spent }, current.endTime ?? 0);
}

/**
 * The same, and what used what the job had made is stopped and runs again: a verdict stands for what is merged, and
 * that is what the latest attempt makes. All of them have all their attempts again.
 */
function rerun(state: BuildSetState, job: string): BuildSetState {
  const current = currentBuilds(state).get(job);
  if (state.canceled || !current || current.result === null) return state;
  const time = current.endTime ?? 0;
  const users = related(relations(state.graph).children, job);
  const spent: Record<string, number> = { ...state.spent };
  const builds = state.builds.map((one) => {
    const victim = one.result === 'CANCELED' || one.result === 'SKIPPED';
    if (one.superseded || !(victim || one.job === job || users.has(one.job))) return one;
    spent[one.job] = one.attempt;
    return retire(stopped(one, time));
  });
  return settleAll({ ...state, builds, spent }, time);
}

function settle(state: BuildSetState, event: BuildSetEvent & { type: 'paused' }): BuildSetState {
  return settleJob(state, event.build.slice(0, event.build.lastIndexOf('/')), event.outcome.time);
}

function settleAll(state: BuildSetState, time: number): BuildSetState {
  let next = state;
  for (const build of currentBuilds(state).values()) next = settleJob(next, build.job, time);
  return next;
}

/** Skips the jobs that can no longer run because of what this one came to. */
function settleJob(state: BuildSetState, job: string, time: number): BuildSetState {
  const build = currentBuilds(state).get(job);
  if (!build || (build.result === null && !build.paused)) return state;
  const good = build.result === 'SUCCESS' || build.paused;
  if (good) {
    if (!build.childJobs) return state;
    return skip(state, unwanted(state, job, build.childJobs), { time, reason: `Skipped by child_jobs of job ${job}` });
  }
  if (build.result === 'SKIPPED') {
    if (!build.excluded) return state;
    // A soft dependent can do without, and so can its own dependents.
    const hard = related(relations(state.graph).hardChildren, job);
    return skip(state, hard, { time, reason: `Skipped because job ${job} was skipped`, excluded: true });
  }
  const children = related(relations(state.graph).children, job);
  return skip(state, children, { time, reason: `Skipped because job ${job} failed` });
}

/** The jobs that `child_jobs` leaves out, and all that depends on them hard. */
function unwanted(state: BuildSetState, job: string, kept: readonly string[]): ReadonlySet<string> {
  const { jobs, directChildren, hardChildren } = relations(state.graph);
  if (kept.length === 0) return related(hardChildren, job);
  const out = new Set<string>();
  for (const child of related(directChildren, job)) {
    if (kept.includes(jobs.get(child)?.name ?? child)) continue;
    out.add(child);
    for (const grandchild of related(hardChildren, child)) out.add(grandchild);
  }
  return out;
}

interface Skip {
  readonly time: number;
  readonly reason: string;
  readonly excluded?: true;
}

function skip(state: BuildSetState, jobs: ReadonlySet<string>, why: Skip): BuildSetState {
  const current = currentBuilds(state);
  const skipped = state.graph.jobs
    .filter((job) => jobs.has(job.key) && !current.has(job.key))
    .map((job) => ({
      ...blank(job.key, nextBuild(state, job.key).attempt),
      result: 'SKIPPED' as const,
      endTime: why.time,
      summary: why.reason,
      ...(why.excluded && { excluded: true as const }),
    }));
  return skipped.length > 0 ? add(state, skipped) : state;
}

/** Every job without a result ends as CANCELED, whether it had started or not. */
function cancelAll(state: BuildSetState, time: number): BuildSetState {
  const builds = state.builds.map((build) => (build.superseded ? build : stopped(build, time)));
  const current = currentBuilds(state);
  const never = state.graph.jobs
    .filter((job) => !current.has(job.key) && job.type !== 'reporter')
    .map((job) => stopped(blank(job.key, nextBuild(state, job.key).attempt), time));
  return { ...state, builds: [...builds, ...never] };
}

/** Results that fail an item when the job is voting. */
export function failed(result: BuildResult | null): boolean {
  return result !== null && result !== 'SUCCESS' && result !== 'SKIPPED' && result !== 'RETRY';
}

function blank(job: string, attempt: number): Build {
  const key = `${job}/${attempt}`;
  const nothing = { result: null, paused: false, failing: false, startTime: null, endTime: null };
  return { key, job, attempt, ...nothing, artifacts: [], data: {} };
}

/** A build with what it ended with, but for artifacts that only jobs of another stage make. */
function taken({ graph }: BuildSetState, build: Build, outcome: BuildOutcome): Build {
  const stage = relations(graph).jobs.get(build.job)?.uses;
  return {
    ...build,
    ...(outcome.artifacts ? { artifacts: outcome.artifacts.filter((one) => !isForged(one, stage)) } : {}),
    ...(outcome.data ? { data: outcome.data } : {}),
    ...(outcome.childJobs ? { childJobs: outcome.childJobs } : {}),
    ...(outcome.summary === undefined ? {} : { summary: outcome.summary }),
    ...(outcome.remarks ? { remarks: outcome.remarks } : {}),
    ...(outcome.logUrl === undefined ? {} : { logUrl: outcome.logUrl }),
  };
}

function stopped(build: Build, time: number): Build {
  return build.result === null ? { ...build, result: 'CANCELED', paused: false, endTime: time } : build;
}

function retire(build: Build): Build {
  return { ...build, superseded: true };
}

function add(state: BuildSetState, builds: readonly Build[]): BuildSetState {
  return { ...state, builds: [...state.builds, ...builds] };
}

function change(state: BuildSetState, key: string, with_: (build: Build) => Build): BuildSetState {
  const index = state.builds.findIndex((build) => build.key === key);
  const build = state.builds[index];
  if (!build || build.result !== null) return state;
  return { ...state, builds: state.builds.with(index, with_(build)) };
}
