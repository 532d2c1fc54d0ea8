import { hasSucceeded, isComplete, isFailing, isHolding, reporterJobs } from '../jobs/result.ts';
import type { BuildSetState } from '../jobs/state.ts';

/** What a gate asks of a build set at every step. */
export interface Summary {
  readonly failing: boolean;
  readonly complete: boolean;
  readonly succeeded: boolean;
  readonly holding: boolean;
  readonly requiring: boolean;
}

const known = new WeakMap<BuildSetState, Summary>();

/** Worked out once for each state of a build set: most items do not change between two steps. */
export function summary(builds: BuildSetState): Summary {
  const found = known.get(builds);
  if (found) return found;
  const made = {
    failing: isFailing(builds),
    complete: isComplete(builds),
    succeeded: hasSucceeded(builds),
    holding: isHolding(builds),
    requiring: builds.graph.jobs.some((job) => job.requires.length > 0),
  };
  known.set(builds, made);
  return made;
}

/** Whether all reporter jobs have ended. */
export function reportersDone(builds: BuildSetState): boolean {
  return isComplete(builds, reporterJobs(builds));
}
