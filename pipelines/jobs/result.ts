import type { BuildSetResult, FrozenJob } from '../model/job.ts';
import { currentBuilds, failed } from './build-set.ts';
import type { BuildSetState } from './state.ts';

/** The jobs that decide over the item; reporter jobs run after the decision. */
export function decidingJobs(state: BuildSetState): readonly FrozenJob[] {
  return state.graph.jobs.filter((job) => job.type !== 'reporter');
}

/** The jobs that run once the item has been reported. */
export function reporterJobs(state: BuildSetState): readonly FrozenJob[] {
  return state.graph.jobs.filter((job) => job.type === 'reporter');
}

/** Whether every one of the jobs has a result. */
export function isComplete(state: BuildSetState, jobs: readonly FrozenJob[] = decidingJobs(state)): boolean {
  const current = currentBuilds(state);
  return jobs.every((job) => (current.get(job.key)?.result ?? null) !== null);
}

/** Whether a voting job has failed, or is seen to be failing, whatever the others do. */
export function isFailing(state: BuildSetState, jobs: readonly FrozenJob[] = decidingJobs(state)): boolean {
  const current = currentBuilds(state);
  return jobs.some((job) => {
    const build = current.get(job.key);
    return job.voting && build !== undefined && (build.failing || failed(build.result));
  });
}

/**
 * Every voting job ended in SUCCESS or was skipped, and not all were passed over: a job that ran and answered by itself
 * that it has nothing to do (a package for other platforms) has been asked.
 */
export function hasSucceeded(state: BuildSetState): boolean {
  const current = currentBuilds(state);
  let allPassedOver = true;
  for (const job of decidingJobs(state)) {
    const build = current.get(job.key);
    const result = build?.result ?? null;
    if (result !== null && (result !== 'SKIPPED' || build?.excluded)) allPassedOver = false;
    if (job.voting && result !== 'SUCCESS' && result !== 'SKIPPED') return false;
  }
  return !allPassedOver;
}

/** What the build set has come to, or null while it goes on. A reporter job that fails has the last word. */
export function buildSetResult(state: BuildSetState): BuildSetResult | null {
  if (state.canceled) return 'DEQUEUED';
  if (decidingJobs(state).length === 0) return 'NO_JOBS';
  if (!isComplete(state)) return null;
  return hasSucceeded(state) && !isFailing(state, reporterJobs(state)) ? 'SUCCESS' : 'FAILURE';
}

/** Whether nothing is left to run: the item's jobs have ended, and once it was reported its reporter jobs, too. */
export function isOver(state: BuildSetState): boolean {
  return buildSetResult(state) !== null && (!state.reporting || isComplete(state, reporterJobs(state)));
}

/** A job that holds the followers back has not succeeded yet. */
export function isHolding(state: BuildSetState): boolean {
  const current = currentBuilds(state);
  return decidingJobs(state).some((job) => job.holdFollowingChanges && current.get(job.key)?.result !== 'SUCCESS');
}
