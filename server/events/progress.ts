import { setTimeout as sleep } from 'node:timers/promises';
import type { ReviewHost, ReviewProgress } from '../../activities/review/port.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import { progressOf } from '../../pipelines/report/progress.ts';
import type { ItemSnapshot, QueueSnapshot } from '../../workflows/contract.ts';

interface ProgressDeps {
  readonly hostOf: (connection: string) => Pick<ReviewHost, 'progress'> | undefined;
  /** Milliseconds between two words about a patch set: hosts count what they are asked. */
  readonly every: number;
}

/** What is said of one patch set. */
interface Talk {
  /** What is so now; undefined: nothing more is to be said. */
  now: ReviewProgress | undefined;
  said: string;
  busy: boolean;
}

/**
 * Tells hosts that show it how far the jobs of their changes are. It is said at most once in a while, and always what is
 * so by then; what cannot be said is said with the next job.
 *
 * @returns takes each picture of a queue
 */
export function createProgress({ hostOf, every }: ProgressDeps): (queue: QueueSnapshot) => void {
  const queues = new Map<string, ReadonlyMap<string, Talk>>();
  const talk = async (host: Pick<ReviewHost, 'progress'>, about: Talk) => {
    about.busy = true;
    while (about.now !== undefined && about.said !== about.now.summary) {
      about.said = about.now.summary;
      await host.progress?.(gateActor, about.now).catch(() => {});
      await sleep(every, undefined, { ref: false });
    }
    about.busy = false;
  };
  return (queue) => {
    const before = queues.get(queue.workflow) ?? new Map<string, Talk>();
    const after = new Map<string, Talk>();
    // Of those that are gone, or done, the results are reported.
    for (const about of before.values()) about.now = undefined;
    for (const { change, patchset, stand } of queue.items.flatMap(standsIn)) {
      const host = hostOf(change.slice(0, change.indexOf(':')));
      if (host?.progress === undefined) continue;
      const key = `${change},${patchset}`;
      const about: Talk = before.get(key) ?? { now: undefined, said: '', busy: false };
      after.set(key, about);
      // Before the first is done the start has said it all; where a change is tested again, more was said of earlier jobs.
      if (stand === undefined || (stand.done === 0 && about.said === '')) continue;
      const { title, summary } = stand;
      about.now = { change, patchset, pipeline: queue.pipeline, title, summary };
      if (!about.busy) void talk(host, about);
    }
    queues.set(queue.workflow, after);
  };
}

/** How far the jobs of an item's changes are; undefined while it has none, and once it has its verdict. */
function standsIn({ changes, state, jobs }: ItemSnapshot) {
  const stand = state === 'running' || state === 'failing' ? progressOf(jobs) : undefined;
  return changes.map(({ id: change, patchset }) => ({ change, patchset, stand }));
}
