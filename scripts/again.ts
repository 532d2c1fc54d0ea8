import type { Count } from './run-file.ts';

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
/** What a workflow says that does not replay as it ran: a fault of ours, however seldom it shows. */
const ours = /TMPRL1100/;

/**
 * The files that are run once more, alone, when all others have ended: those that failed among real servers, which a busy
 * machine may have kept from answering. One that passes then is told as such.
 */
export function toRunAgain(runs: readonly FileRun[]): readonly FileRun[] {
  const failed = runs.filter(({ count }) => count.failed > 0);
  if (failed.length > most) return [];
  return failed.filter(({ seconds, count }) => seconds <= longest && !count.faults.some((fault) => ours.test(fault)));
}
