import type { Client } from '@temporalio/client';
import { type MirrorEntityInput, type MirrorRequest, taskQueues } from '../../workflows/contract.ts';
import { mirrorId } from '../../workflows/ids.ts';
import { mirrorSignal } from '../../workflows/messages.ts';

/** Asks the entity of a set of mirrors for something, and starts it when there is none. */
export async function askMirror(client: Client, set: string, request: MirrorRequest): Promise<void> {
  const input: MirrorEntityInput = { set, paused: false, pending: null, outcome: null };
  await client.workflow.signalWithStart('mirror', {
    workflowId: mirrorId(set),
    taskQueue: taskQueues.control,
    args: [input],
    signal: mirrorSignal,
    signalArgs: [request],
    staticSummary: `Mirrors of ${set}`,
    staticDetails: `One transaction at a time over the hosts of the set **${set}**.`,
  });
}
