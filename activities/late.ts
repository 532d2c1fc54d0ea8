import type { Artifact } from '../pipelines/model/job.ts';
import type { StageInput, StageResult } from '../workflows/contract.ts';
import type { StageContext } from './ports.ts';

/** Whether a job's time is up while its result is still wanted: a stage that is cancelled fails in whatever way its tools do. */
export function isLate({ signal, cancellation }: Pick<StageContext, 'signal' | 'cancellation'>): boolean {
  return signal.aborted && !cancellation.aborted;
}

/** The verdict on a job whose time is up. @param artifacts what is kept of it all the same */
export function timedOut({ timeout }: Pick<StageInput, 'timeout'>, artifacts: readonly Artifact[] = []): StageResult {
  return { result: 'TIMED_OUT', summary: `not done after ${timeout} seconds, the job's timeout`, artifacts };
}
