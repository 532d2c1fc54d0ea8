import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { workerReason } from '../pipelines/nodes/reason.ts';
import { local } from './activities.ts';
import type { JobInput, JobStart } from './contract.ts';
import { begunAt, needsWorker, startRecord } from './job-record.ts';
import { jobWaitingSignal } from './messages.ts';
import { tell } from './tell.ts';

/** Records what the job waits for. */
export function recordWaiting(input: JobInput, start: JobStart, reason: string): Promise<number> {
  return record(input, start, { reason });
}

/** Records that the job has what it waited for: now it needs a worker, or begins. @returns when */
export function recordFree(input: JobInput, start: JobStart): Promise<number> {
  return record(input, start, needsWorker(input.job) ? { reason: workerReason } : {});
}

/** Records that the work has begun. @returns when */
export function recordBegun(input: JobInput, start: JobStart): Promise<number> {
  return record(input, start, {});
}

async function record(input: JobInput, start: JobStart, { reason }: { readonly reason?: string }): Promise<number> {
  const { workflowId: workflow, runId: run } = workflowInfo();
  const time = Date.now();
  const begun = begunAt(startRecord(input, start, { workflow, run, time }), time);
  const summary = reason === undefined ? '' : `waits for ${reason}`;
  setCurrentDetails(summary || `attempt ${start.attempt} runs`);
  await local.recordBuild({ ...begun, summary, ...(reason === undefined ? {} : { waiting: true }) });
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

/** Tells the build set that the job has what it waited for. */
export function tellFree(input: JobInput, start: JobStart): Promise<void> {
  return tellWaiting(input, start, needsWorker(input.job) ? [workerReason] : []);
}
