import type { Stage } from '../model/job.ts';

/** Priorities of the precedences high, normal and low, each but the first with what a paused job waits for before it. */
const steps = [100, 199, 200, 299];

/**
 * The order in which jobs get a worker's place, in the five steps that task queues know. A publish takes a second, and
 * others wait for what it publishes: it comes before its like.
 *
 * @param priority as in `Permissions`: lower is served first
 * @returns 1, the most urgent, to 5
 */
export function urgencyOf(priority: number, stage?: Stage): number {
  const counted = stage === 'publish' ? priority - 1 : priority;
  return 1 + steps.filter((step) => counted > step).length;
}
