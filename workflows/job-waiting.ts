import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { startRecord } from './job-record.ts';
import { jobWaitingSignal } from './messages.ts';
import { tell } from './tell.ts';

/** Records what the job waits for, or with nothing to say that it starts now. @returns when */
export async function recordWaiting(input: JobInput, start: JobStart, summary: string): Promise<number> {
  const { workflowId: workflow, runId: run } = workflowInfo();
  const time = Date.now();
  setCurrentDetails(summary || `attempt ${start.attempt} runs`);
  await local.recordBuild({ ...startRecord(input, start, { workflow, run, time }), summary });
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
