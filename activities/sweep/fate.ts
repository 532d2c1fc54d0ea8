import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import type { Fate } from '../../pipelines/report/fate.ts';

/** A workflow, and the run that is meant; without one, the latest. */
export interface Execution {
  readonly workflow: string;
  readonly run?: string | undefined;
}

/** How a workflow has ended; null while it is open. */
export async function fateOf(client: Client, { workflow, run }: Execution): Promise<Fate | null> {
  const handle = client.workflow.getHandle(workflow, run, { followRuns: false });
  try {
    const { status, closeTime, runId } = await handle.describe();
    const time = closeTime?.getTime() ?? null;
    switch (status.name) {
      case 'COMPLETED':
        return { kind: 'completed', result: await client.workflow.result(workflow, runId), time };
      case 'FAILED':
        return { kind: 'failed', reason: await reasonOf(client, workflow, runId), time };
      case 'CANCELLED':
        return { kind: 'canceled', time };
      case 'TERMINATED':
        return { kind: 'terminated', time };
      case 'TIMED_OUT':
        return { kind: 'timed-out', time };
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'unknown', time: null };
    throw error;
  }
}

async function reasonOf(client: Client, workflow: string, run: string): Promise<string> {
  try {
    await client.workflow.result(workflow, run, { followRuns: false });
    return '';
  } catch (error) {
    if (error instanceof WorkflowFailedError) return rootCause(error.cause) ?? error.message;
    throw error;
  }
}
