import type { Client } from '@temporalio/client';
import type { ControlActivities } from '../../workflows/activities.ts';

/** Tells a run of a workflow which one its history began with: another one where it was reset. */
export function createOriginActivities(client: Client): Pick<ControlActivities, 'readOrigin'> {
  return {
    async readOrigin({ workflow, run }) {
      const { history } = await client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId: workflow, runId: run },
        maximumPageSize: 1,
      });
      const { workflowExecutionStartedEventAttributes: started } = history?.events?.[0] ?? {};
      if (!started?.originalExecutionRunId) throw new Error(`the history of ${workflow} (${run}) has no beginning`);
      return started.originalExecutionRunId;
    },
  };
}
