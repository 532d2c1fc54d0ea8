import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { debugId } from '../workflows/ids.ts';
import { debugQuery, debugUntilSignal } from '../workflows/messages.ts';
import type { DebugInput, DebugView } from '../workflows/snapshots-contract.ts';
import { lookAtLastRun } from './last-run.ts';

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
      const run = await lookAtLastRun(client, debugId(host, build));
      if (run.state === 'failed') return { build, ...run };
      if (run.state !== 'running') return { build, state: run.state };
      const session = await handleOf(build).query(debugQuery);
      return session.nodes.length === 0 ? { build, state: 'restoring' } : { build, state: 'open', session };
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
