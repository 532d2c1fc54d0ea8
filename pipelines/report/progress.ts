/** A job of an item that runs, as far as it is. */
export interface JobStand {
  readonly name: string;
  readonly result: string | null;
  /** Null before it has begun. */
  readonly startTime: number | null;
}

/** How far jobs are: how many are done, in a line, and job by job. */
export interface JobsProgress {
  readonly done: number;
  readonly title: string;
  readonly summary: string;
}

/** How far an item's jobs are. Undefined where there are none, and once all are done. */
export function progressOf(jobs: readonly JobStand[]): JobsProgress | undefined {
  const done = jobs.filter(({ result }) => result !== null);
  if (done.length === jobs.length) return undefined;
  const stand = ({ result, startTime }: JobStand) => result ?? (startTime === null ? 'waits' : 'runs');
  return {
    done: done.length,
    title: `${done.length} of ${jobs.length} jobs ${done.length === 1 ? 'is' : 'are'} done`,
    summary: jobs.map((job) => `- ${job.name}: ${stand(job)}`).join('\n'),
  };
}
