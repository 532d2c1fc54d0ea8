import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { startRecord } from './job-record.ts';
import { jobWaitingSignal } from './messages.ts';
import { tell } from './tell.ts';

/** Records what the job waits for. */
export function recordWaiting(input: JobInput, start: JobStart, reason: string): Promise<number> {
  return record(input, start, { reason });
}

/** Records that the job has what it waited for. @returns when */
export function recordBegun(input: JobInput, start: JobStart): Promise<number> {
  return record(input, start, {});
}

async function record(input: JobInput, start: JobStart, { reason }: { readonly reason?: string }): Promise<number> {
  const { workflowId: workflow, runId: run } = workflowInfo();
  const time = Date.now();
  const summary = reason === undefined ? '' : `waits for ${reason}`;
  setCurrentDetails(summary || `attempt ${start.attempt} runs`);
  await local.recordBuild({
    ...startRecord(input, start, { workflow, run, time }),
    summary,
    ...(reason === undefined ? {} : { waiting: true }),
  });
  return time;
}

/** Tells the build set what the job waits for; no reasons: it waits for nothing any more. */
export async function tellWaiting(
  { job, reportTo }: JobInput,
  start: JobStart,
  reasons: readonly string[],
): Promise<void> {
  if (reportTo === undefined || start.alone) return;
  await tell(reportTo, jobWaitingSignal, { job: job.key, attempt: start.attempt, reasons });
}
