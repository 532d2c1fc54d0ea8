import type { ItemSnapshot, JobSnapshot, StatusView } from '../server/api/types.ts';

/** What jobs wait for, as `StatusView` has it. */
export type Waits = NonNullable<StatusView['waits']>;

interface Queue {
  readonly pipeline: string;
  readonly items: readonly ItemSnapshot[];
}

/** Which job it is, for as long as it waits, or runs, as it does now. */
export function waitKey({ pipeline }: Queue, { buildSet }: ItemSnapshot, { key, attempt, startTime }: JobSnapshot) {
  return `${pipeline} ${buildSet} ${key} ${attempt} ${startTime}`;
}

/** A queue whose jobs say what they wait for where it is known better than they know it. */
export function withWaits<Q extends Queue>(queue: Q, waits: Waits): Q {
  const items = queue.items.map((item) => {
    const jobs = item.jobs.map((job) => {
      const waiting = job.result === null ? waits[waitKey(queue, item, job)] : undefined;
      return waiting === undefined ? job : { ...job, waiting };
    });
    return { ...item, jobs };
  });
  return { ...queue, items };
}
