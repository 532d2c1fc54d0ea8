/** A job of an item that runs, as far as it is. */
export interface JobStand {
  readonly name: string;
  readonly result: string | null;
  /** Null before it has begun. */
  readonly startTime: number | null;
}

/** How far an item's jobs are: in a line, and job by job. Undefined until the first is done, and once all are. */
export function progressOf(
  jobs: readonly JobStand[],
): { readonly title: string; readonly summary: string } | undefined {
  const done = jobs.filter(({ result }) => result !== null);
  if (done.length === 0 || done.length === jobs.length) return undefined;
  const stand = ({ result, startTime }: JobStand) => result ?? (startTime === null ? 'waits' : 'runs');
  return {
    title: `${done.length} of ${jobs.length} jobs ${done.length === 1 ? 'is' : 'are'} done`,
    summary: jobs.map((job) => `- ${job.name}: ${stand(job)}`).join('\n'),
  };
}
