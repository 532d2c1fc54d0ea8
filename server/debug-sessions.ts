import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { debugId } from '../workflows/ids.ts';
import { debugQuery, debugUntilSignal } from '../workflows/messages.ts';
import type { DebugInput, DebugView } from '../workflows/snapshots-contract.ts';

/** How a debug session stands. */
export type DebugSession =
  | { readonly build: string; readonly state: 'restoring' | 'ended' | 'none' }
  | { readonly build: string; readonly state: 'failed'; readonly reason: string }
  | { readonly build: string; readonly state: 'open'; readonly session: DebugView };

/** What people ask for about the machines that were kept of failed jobs. */
export interface DebugSessions {
  /** Begins one, or moves the end of one that there is. @param until milliseconds since the epoch */
  open(actor: Actor, build: string, until: number): Promise<void>;
  look(build: string): Promise<DebugSession>;
  /** Ends one. Harmless where there is none. */
  close(actor: Actor, build: string): Promise<void>;
}

export function createDebugSessions({
  client,
  host,
}: {
  readonly client: Client;
  readonly host: string;
}): DebugSessions {
  const handleOf = (build: string) =>
    client.workflow.getHandle<(input: DebugInput) => Promise<void>>(debugId(host, build));
  return {
    async open(actor, build, until) {
      demand(actor, 'debug', { name: build });
      const input: DebugInput = { host, build, until };
      await client.workflow.signalWithStart('debugSession', {
        ...{ workflowId: debugId(host, build), taskQueue: taskQueues.control, args: [input] },
        ...{ signal: debugUntilSignal, signalArgs: [{ until }], staticSummary: `Debug ${build}, for ${actor.name}` },
      });
    },
    async look(build) {
      const handle = handleOf(build);
      try {
        const { status, runId } = await handle.describe();
        if (status.name !== 'RUNNING') {
          // Of that very run: another one that has begun since is not waited for.
          await client.workflow.getHandle(debugId(host, build), runId).result();
          return { build, state: 'ended' };
        }
        const session = await handle.query(debugQuery);
        return session.nodes.length === 0 ? { build, state: 'restoring' } : { build, state: 'open', session };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { build, state: 'none' };
        if (!(error instanceof WorkflowFailedError)) throw error;
        return { build, state: 'failed', reason: rootCause(error.cause) ?? String(error) };
      }
    },
    async close(actor, build) {
      demand(actor, 'debug', { name: build });
      try {
        await handleOf(build).signal(debugUntilSignal, { until: 0 });
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
