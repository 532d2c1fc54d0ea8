import { type Count, diverged } from './run-file.ts';

/** How the run of a test file went. */
export interface FileRun {
  readonly file: string;
  readonly seconds: number;
  readonly count: Count;
}

/** More files than these that fail are no accident of a busy machine. */
const most = 3;
/** Files that took longer, in seconds, have no second time within the hour that a run may take. */
const longest = 400;

/**
 * The files that are run once more, alone, when all others have ended: those that failed among real servers, which a busy
 * machine may have kept from answering. One that passes then is told as such. A workflow that does not replay as it ran is
 * a fault of ours, however seldom it shows.
 */
export function toRunAgain(runs: readonly FileRun[]): readonly FileRun[] {
  const failed = runs.filter(({ count }) => count.failed > 0);
  if (failed.length > most) return [];
  const isOurs = ({ count }: FileRun) => count.faults.some((fault) => fault.includes(diverged));
  return failed.filter((run) => run.seconds <= longest && !isOurs(run));
}
