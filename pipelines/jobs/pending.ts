import type { Artifact, FrozenJob, Nodeset, ProvidedArtifact } from '../model/job.ts';
import { currentBuilds, nextBuild } from './build-set.ts';
import { related, relations } from './graph.ts';
import type { BuildSetState, Permissions } from './state.ts';

/** An attempt that may start now. */
export interface PendingBuild {
  readonly key: string;
  readonly job: FrozenJob;
  readonly attempt: number;
  readonly nodeset: Nodeset;
  /** Artifacts of the items ahead that the job requires, oldest first. */
  readonly artifacts: readonly ProvidedArtifact[];
  /** Artifacts of the jobs that this one depends on, directly or not, in the graph's order. */
  readonly parents: readonly Artifact[];
  /** What those jobs returned; a later job's value wins. */
  readonly parentData: Readonly<Record<string, unknown>>;
  /** A paused job is above it: its nodes come before others of the same precedence. */
  readonly underPaused: boolean;
}

/** What a build set wants to be going on. */
export interface PendingBuilds {
  /** In the graph's order. Asked for again until they have started. */
  readonly start: readonly PendingBuild[];
  /** Keys of the started builds that should still be running. */
  readonly wanted: readonly string[];
  /** Keys of the paused builds that may go on, because all above them in the graph have ended. */
  readonly resume: readonly string[];
  /** Jobs that can never run, with the reason: to be answered with the event `refused`. */
  readonly refuse: readonly { readonly job: string; readonly reason: string }[];
  /** Job key to what the job waits for, for those that have not started. */
  readonly waiting: Readonly<Record<string, readonly string[]>>;
}

/** No restriction: what a build set that stands alone is run with. */
export const freely: Permissions = { waiting: {}, refused: {}, artifacts: {}, priority: 200 };

/** What is to be started, kept, resumed and refused in this state. */
export function pendingBuilds(state: BuildSetState, permissions: Permissions): PendingBuilds {
  if (state.canceled) return { start: [], wanted: [], resume: [], refuse: [], waiting: {} };
  const current = currentBuilds(state);
  const wanted: string[] = [];
  const start: PendingBuild[] = [];
  const refuse: { job: string; reason: string }[] = [];
  const waiting: Record<string, readonly string[]> = {};
  for (const job of state.graph.jobs) {
    const build = current.get(job.key);
    if (build?.result === null) wanted.push(build.key);
    if (build || (job.type === 'reporter' && !state.reporting)) continue;
    const reason = permissions.refused[job.key];
    if (reason !== undefined) refuse.push({ job: job.key, reason });
    const reasons = [...(permissions.waiting[job.key] ?? []), ...unmetDependencies(state, job)];
    if (reasons.length > 0) waiting[job.key] = reasons;
    else if (reason === undefined) start.push(pendingBuild(state, job, permissions));
  }
  return { start, wanted, resume: resumable(state), refuse, waiting };
}

/** Jobs above that have not ended well: all of them must have, though a soft one may have been skipped. */
function unmetDependencies(state: BuildSetState, job: FrozenJob): readonly string[] {
  const current = currentBuilds(state);
  const { parents, hardParents } = relations(state.graph);
  const unmet: string[] = [];
  for (const parent of related(parents, job.key)) {
    const build = current.get(parent);
    if (build && (build.result === 'SUCCESS' || build.paused)) continue;
    if (build?.result === 'SKIPPED' && !related(hardParents, job.key).has(parent)) continue;
    unmet.push(parent);
  }
  return unmet.length > 0 ? [`dependencies: ${unmet.join(', ')}`] : [];
}

function pendingBuild(state: BuildSetState, job: FrozenJob, permissions: Permissions): PendingBuild {
  const current = currentBuilds(state);
  const above = related(relations(state.graph).parents, job.key);
  const parents: Artifact[] = [];
  let parentData: Record<string, unknown> = {};
  let underPaused = false;
  for (const { key } of state.graph.jobs) {
    const build = above.has(key) ? current.get(key) : undefined;
    if (!build) continue;
    parents.push(...build.artifacts);
    parentData = { ...parentData, ...build.data };
    if (build.paused) underPaused = true;
  }
  const artifacts = permissions.artifacts[job.key] ?? [];
  return {
    ...nextBuild(state, job.key),
    job,
    nodeset: nodesetOf(state, job),
    artifacts,
    parents,
    parentData,
    underPaused,
  };
}

/** The alternative that is next: one further for each attempt that could not use its nodes. */
function nodesetOf(state: BuildSetState, job: FrozenJob): Nodeset {
  const moved = state.builds.filter((build) => build.job === job.key && build.nextAlternative).length;
  const choices = [job.nodeset, ...job.alternatives];
  return choices[Math.min(moved, choices.length - 1)] ?? job.nodeset;
}

function resumable(state: BuildSetState): readonly string[] {
  const current = currentBuilds(state);
  const { children } = relations(state.graph);
  const ended = (job: string) => (current.get(job)?.result ?? null) !== null;
  return [...current.values()]
    .filter((build) => build.paused && [...related(children, build.job)].every(ended))
    .map((build) => build.key);
}
