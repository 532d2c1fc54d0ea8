import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import type { GateAnswer } from '../../pipelines/gate/command.ts';
import { type GateMessage, taskQueues } from '../../workflows/contract.ts';
import { type GateName, gateId } from '../../workflows/ids.ts';
import { messagesUpdate } from '../../workflows/messages.ts';
import { attributes } from '../../workflows/search-attributes.ts';

/** The way to gates. */
export interface GateClient {
  /** Delivers a message, and starts the gate when there is none. */
  tell(gate: GateName, message: GateMessage): Promise<void>;
  /** Delivers a message to a gate that there is; others have no use for it. */
  inform(gate: GateName, message: GateMessage): Promise<void>;
  /** Delivers a message to a gate that there is, and waits for the answer to its last command. */
  ask(gate: GateName, message: GateMessage): Promise<GateAnswer>;
}

/** Milliseconds for which a gate that does not take a delivery is tried again, and between two tries. */
const patience = 60_000;
const pause = 50;

/** Messages of one delivery, so that a gate decides on them within its time; more wait for the next. */
const most = 50;

interface Waiting {
  readonly message: GateMessage;
  /** Start the gate when there is none. */
  readonly starts: boolean;
  readonly answered: (answer: GateAnswer) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * One delivery to a gate at a time, of all that has come meanwhile: the gate sets the pace. A gate can continue as new
 * only while nothing new comes to the run that ends; with a delivery under way, nothing else does.
 */
export function createGateClient(client: Client): GateClient {
  const lines = new Map<string, Waiting[]>();
  const send = (gate: GateName, message: GateMessage, starts: boolean): Promise<GateAnswer> =>
    new Promise((answered, failed) => {
      const id = gateId(gate);
      const line = lines.get(id);
      const waiting = { message, starts, answered, failed };
      if (line) line.push(waiting);
      else {
        lines.set(id, [waiting]);
        void drain(client, gate, lines);
      }
    });
  return {
    tell: async (gate, message) => void (await send(gate, message, true)),
    async inform(gate, message) {
      try {
        await send(gate, message, false);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    ask: (gate, message) => send(gate, message, false),
  };
}

async function drain(client: Client, gate: GateName, lines: Map<string, Waiting[]>): Promise<void> {
  const id = gateId(gate);
  // Whoever has several things to say says them at once.
  await null;
  for (let line = lines.get(id); line !== undefined && line.length > 0; line = lines.get(id)) {
    const batch = nextBatch(line);
    try {
      const answers = await deliver(client, gate, batch);
      for (const [index, { answered }] of batch.entries()) answered(answers[index] ?? { ok: true });
    } catch (error) {
      // What came later does not arrive before it: all of them are brought again, by those who sent them.
      const behind = error instanceof WorkflowNotFoundError ? [] : line.splice(0);
      for (const { failed } of [...batch, ...behind]) failed(error);
    }
  }
  lines.delete(id);
}

/** The first ones that may go together: behind one that starts the gate all do, before it none that does not. */
function nextBatch(line: Waiting[]): readonly Waiting[] {
  const end = line.findIndex(({ starts }, index) => index >= most || (starts && !line[0]?.starts));
  return line.splice(0, end < 0 ? line.length : end);
}

/** A run that ends takes nothing more: the next one does. Its ledger knows what has arrived after all. */
async function deliver(client: Client, gate: GateName, batch: readonly Waiting[]): Promise<readonly GateAnswer[]> {
  const messages = batch.map(({ message }) => message);
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await update(client, gate, { messages, starts: batch[0]?.starts === true });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || Date.now() > deadline) throw error;
      await sleep(pause);
    }
  }
}

interface Delivery {
  readonly messages: readonly GateMessage[];
  readonly starts: boolean;
}

function update(client: Client, gate: GateName, { messages, starts }: Delivery): Promise<readonly GateAnswer[]> {
  const { tenant, pipeline, queue } = gate;
  const args: [readonly GateMessage[]] = [messages];
  if (!starts) return client.workflow.getHandle(gateId(gate)).executeUpdate(messagesUpdate, { args });
  const startWorkflowOperation = new WithStartWorkflowOperation('gate', {
    workflowId: gateId(gate),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: taskQueues.control,
    args: [{ tenant, pipeline, queue }],
    staticSummary: `${pipeline}: ${queue}`,
    staticDetails: `The queue **${queue}** of pipeline **${pipeline}**, for as long as the tenant lives.`,
    typedSearchAttributes: attributes({ tenant, pipeline, queue }),
  });
  return client.workflow.executeUpdateWithStart(messagesUpdate, { startWorkflowOperation, args });
}
