import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { until } from './world.ts';

/** A place in a history to which Temporal can reset: after a workflow task. */
export async function taskOf(client: Client, workflowId: string, which: 'first' | 'last') {
  const done = async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return events?.filter((event) => event.workflowTaskCompletedEventAttributes) ?? [];
  };
  await until(`${workflowId} has begun`, async () => (await done()).length > 0);
  return (await done()).at(which === 'first' ? 0 : -1)?.eventId ?? assert.fail();
}

type Place = Awaited<ReturnType<typeof taskOf>>;

/** Resets as *Reset* of the page does, with all that came afterwards forgotten, messages included. */
export async function resetTo(client: Client, workflowId: string, task: Place): Promise<void> {
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
    reason: 'again',
    requestId: crypto.randomUUID(),
    workflowTaskFinishEventId: task,
    // Signals and updates.
    resetReapplyExcludeTypes: [1, 2],
  });
}

/** Plays the run that is open again, as a worker does that takes it over. @throws where that gives other commands */
export async function replays(client: Client, workflowId: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: await bundleWorkflows() }, history, workflowId);
}
