import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import { type GateMessage, taskQueues } from '../../workflows/contract.ts';
import { type GateName, gateId } from '../../workflows/ids.ts';
import { commandsSignal, commandsUpdate } from '../../workflows/messages.ts';
import { attributes } from '../../workflows/search-attributes.ts';

/** The way to gates. */
export interface GateClient {
  /** Delivers a message, and starts the gate when there is none. */
  tell(gate: GateName, message: GateMessage): Promise<void>;
  /** Delivers a message to a gate that there is; others have no use for it. */
  inform(gate: GateName, message: GateMessage): Promise<void>;
  /** Delivers a message and waits for the answer to its last command. */
  ask(gate: GateName, message: GateMessage): Promise<GateAnswer>;
}

export function createGateClient(client: Client): GateClient {
  return {
    async tell(gate, message) {
      const { tenant, pipeline, queue } = gate;
      await client.workflow.signalWithStart('gate', {
        workflowId: gateId(gate),
        taskQueue: taskQueues.control,
        args: [{ tenant, pipeline, queue }],
        signal: commandsSignal,
        signalArgs: [message],
        staticSummary: `${pipeline}: ${queue}`,
        staticDetails: `The queue **${queue}** of pipeline **${pipeline}**, for as long as the tenant lives.`,
        typedSearchAttributes: attributes({ tenant, pipeline, queue }),
      });
    },
    async inform(gate, message) {
      try {
        await client.workflow.getHandle(gateId(gate)).signal(commandsSignal, message);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    ask(gate, message) {
      const handle = client.workflow.getHandle(gateId(gate));
      return handle.executeUpdate(commandsUpdate, { updateId: message.id, args: [message] });
    },
  };
}
