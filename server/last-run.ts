import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';

/** How the last run of a workflow stands; `none` where Temporal keeps nothing of one. */
export type LastRun<T> =
  | { readonly state: 'none' | 'running' }
  | { readonly state: 'ended'; readonly result: T }
  | { readonly state: 'failed'; readonly reason: string };

/** Looks at the last run that there is of a workflow. It waits for none, also not for one that begins meanwhile. */
export async function lookAtLastRun<T>(client: Client, workflowId: string): Promise<LastRun<T>> {
  try {
    const { status, runId } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === 'RUNNING') return { state: 'running' };
    return { state: 'ended', result: await client.workflow.getHandle<() => Promise<T>>(workflowId, runId).result() };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { state: 'none' };
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { state: 'failed', reason: whyFailed(error) };
  }
}

/** What a workflow ended with, in the words of whoever was at fault. */
export function whyFailed(error: WorkflowFailedError): string {
  return rootCause(error.cause) ?? String(error);
}
