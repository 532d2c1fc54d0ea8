/** Priorities of the precedences high, normal and low, each but the first with what a paused job waits for before it. */
const steps = [100, 199, 200, 299];

/**
 * The order in which jobs get a worker's place, in the five steps that task queues know.
 *
 * @param priority as in `Permissions`: lower is served first
 * @returns 1, the most urgent, to 5
 */
export function urgencyOf(priority: number): number {
  return 1 + steps.filter((step) => priority > step).length;
}
