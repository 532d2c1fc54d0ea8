import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import type { ControlActivities } from '../../workflows/activities.ts';
import { commandsUpdate } from '../../workflows/messages.ts';

/** A build set's question to its gate, which has an answer. Asked again by the same id, it is applied once. */
export function askGateBy(client: Client): ControlActivities['askGate'] {
  return async ({ gate, message }): Promise<GateAnswer> => {
    try {
      return await client.workflow.getHandle(gate).executeUpdate(commandsUpdate, { args: [message] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { ok: false, reason: `the queue has ended: ${gate}` };
      if (error instanceof WorkflowUpdateFailedError) {
        return { ok: false, reason: rootCause(error.cause) ?? error.message };
      }
      throw error;
    }
  };
}
