import { related, relations } from '../jobs/graph.ts';
import type { Build } from '../jobs/state.ts';
import type { JobGraph } from '../model/job.ts';

type Times = Pick<Build, 'job' | 'startTime' | 'endTime'>;

/** Whether a job of a build set that has ended paused: only then do jobs that depend on it begin before its end. */
export function hasPaused(graph: JobGraph, builds: readonly Times[], job: string): boolean {
  const children = related(relations(graph).children, job);
  const begun = builds.flatMap(({ job: key, startTime }) =>
    children.has(key) && startTime !== null ? [startTime] : [],
  );
  return builds.some(({ job: key, startTime, endTime }) => {
    if (key !== job || startTime === null || endTime === null) return false;
    return begun.some((time) => startTime <= time && time < endTime);
  });
}
