import { CancellationScope, condition, setCurrentDetails, setHandler, uuid4, workflowInfo } from '@temporalio/workflow';
import type { SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import { semaphoreNames, semaphoreReason } from '../pipelines/gate/semaphores.ts';
import { freely } from '../pipelines/jobs/pending.ts';
import { control, local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { jobWaitingSignal, semaphoresGrantedSignal } from './messages.ts';
import { tell } from './tell.ts';

/** How long a job waits for a word before it asks again: the entity may have been ended and started anew. */
const patience = '10m';

/**
 * Does a job's work while it holds all of its semaphores, and gives them back however that ends.
 *
 * @param work gets the time at which the job could run, in milliseconds since the epoch
 */
export async function withSemaphores<T>(
  input: JobInput,
  start: JobStart,
  work: (startTime: number) => Promise<T>,
): Promise<T> {
  const names = semaphoreNames(input.job);
  if (names.length === 0) return work(start.time);
  const { tenant, priority = freely.priority } = input;
  const request = { holder: workflowInfo().workflowId, token: uuid4(), names, priority };
  try {
    return await work(await take(input, start, request));
  } finally {
    await CancellationScope.nonCancellable(() => local.releaseSemaphores({ tenant, token: request.token }));
  }
}

/** @returns when the semaphores were all there */
async function take(input: JobInput, start: JobStart, request: SemaphoreRequest): Promise<number> {
  const { tenant } = input;
  const word = { granted: false };
  setHandler(semaphoresGrantedSignal, ({ token }) => {
    // A word for an earlier run of the same workflow, which a reset repeats, is none for this one.
    if (token === request.token) word.granted = true;
  });
  let missing = await control.askSemaphores({ tenant, request });
  if (missing.length === 0) return start.time;
  await announce(input, start, [semaphoreReason(missing)]);
  while (missing.length > 0 && !(await condition(() => word.granted, patience))) {
    missing = await control.askSemaphores({ tenant, request });
  }
  // The work need not wait until this has arrived, and a cancellation is told by the work.
  void announce(input, start, []).catch(() => undefined);
  return Date.now();
}

/** Says what the job waits for: here, and to the build set that it runs for. */
async function announce({ job, reportTo }: JobInput, start: JobStart, reasons: readonly string[]): Promise<void> {
  const { attempt, alone } = start;
  setCurrentDetails(reasons.length > 0 ? `waits for ${reasons.join('; ')}` : `attempt ${attempt} runs`);
  if (reportTo !== undefined && !alone) await tell(reportTo, jobWaitingSignal, { job: job.key, attempt, reasons });
}
