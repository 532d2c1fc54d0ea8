import type { Stage } from '../model/job.ts';

/** Priorities of the precedences high and normal, each with what comes before its like; all of low is the last step. */
const steps = [99, 100, 199, 200];

/**
 * The order in which jobs get a worker's place, in the five steps that task queues know. A publish takes a second, and
 * others wait for what it publishes: where it waits among builds (workers before 2026-11-30 have no places for it alone)
 * it comes before its like, but in low precedence, for which no step is left.
 *
 * @param priority as in `Permissions`: lower is served first
 * @returns 1, the most urgent, to 5
 */
export function urgencyOf(priority: number, stage?: Stage): number {
  const counted = stage === 'publish' ? priority - 1 : priority;
  return 1 + steps.filter((step) => counted > step).length;
}
