import { CancellationScope, condition, setCurrentDetails, uuid4, workflowInfo } from '@temporalio/workflow';
import type { SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import { semaphoreNames, semaphoreReason } from '../pipelines/gate/semaphores.ts';
import { freely } from '../pipelines/jobs/pending.ts';
import { control, local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { hear, messages } from './input.ts';
import { startRecord } from './job-record.ts';
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
  hear(semaphoresGrantedSignal, messages.token, ({ token }) => {
    // A word for an earlier run of the same workflow, which a reset repeats, is none for this one.
    if (token === request.token) word.granted = true;
  });
  let missing = await control.askSemaphores({ tenant, request });
  if (missing.length === 0) return start.time;
  const reason = semaphoreReason(missing);
  await record(input, start, `waits for ${reason}`);
  await tellBuildSet(input, start, [reason]);
  while (missing.length > 0 && !(await condition(() => word.granted, patience))) {
    missing = await control.askSemaphores({ tenant, request });
  }
  const time = await record(input, start, '');
  // The work need not wait until this has arrived, and if it is cancelled it says so itself.
  void tellBuildSet(input, start, []).catch(() => undefined);
  return time;
}

/** Records what the job waits for, or with nothing to say that it starts now. @returns when */
async function record(input: JobInput, start: JobStart, summary: string): Promise<number> {
  const { workflowId: workflow, runId: run } = workflowInfo();
  const time = Date.now();
  setCurrentDetails(summary || `attempt ${start.attempt} runs`);
  await local.recordBuild({ ...startRecord(input, start, { workflow, run, time }), summary });
  return time;
}

async function tellBuildSet({ job, reportTo }: JobInput, start: JobStart, reasons: readonly string[]): Promise<void> {
  if (reportTo === undefined || start.alone) return;
  await tell(reportTo, jobWaitingSignal, { job: job.key, attempt: start.attempt, reasons });
}
