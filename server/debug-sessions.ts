import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { debugId } from '../workflows/ids.ts';
import { debugQuery, debugUntilSignal } from '../workflows/messages.ts';
import type { DebugInput, DebugView, SnapshotList } from '../workflows/snapshots-contract.ts';
import { lookAtLastRun } from './last-run.ts';
import { keptOf, type Machines } from './machines.ts';

/** How a debug session stands. */
export type DebugSession =
  | { readonly build: string; readonly state: 'restoring' | 'ended' | 'none' }
  | { readonly build: string; readonly state: 'failed' | 'ending'; readonly reason: string }
  | { readonly build: string; readonly state: 'open'; readonly session: DebugView };

/** Which machines somebody wants to look at: without a step, those that are open, or as they were at the failure. */
type DebugWish = Omit<DebugInput, 'host'>;

/** There is a session of the same machines as they were at another time. */
export class OtherSession extends Error {
  constructor(build: string, step: number | undefined) {
    const at = step === undefined ? 'as at the failure' : `as after step ${step}`;
    super(`the machines of ${build} are open ${at}: sluice vm debug ${build} --end, then ask again`);
    this.name = 'OtherSession';
  }
}

/** There is nothing to look at. */
export class NothingKept extends Error {
  constructor(build: string) {
    super(`no machines are kept of the build ${build}, which may be of a job that did not fail: see sluice vm list`);
    this.name = 'NothingKept';
  }
}

/** There is a session whose machines are being ended: nobody can move that. */
class SessionEnds extends Error {
  constructor(build: string, why: string) {
    super(`the machines of ${build} are being ended (${why}): ask again when they are gone`);
    this.name = 'SessionEnds';
  }
}

/** What people ask for about the machines that were kept of failed jobs. */
export interface DebugSessions {
  /**
   * Begins one, or moves the end of one that there is.
   *
   * @throws OtherSession when there is one, of another step than the one that is asked for; SessionEnds when it is over;
   *   NothingKept where none can begin, and HostSilent where nobody knows
   */
  open(actor: Actor, wish: DebugWish): Promise<void>;
  look(build: string): Promise<DebugSession>;
  /** Ends one. Harmless where there is none. */
  close(actor: Actor, build: string): Promise<void>;
}

export interface DebugDeps {
  readonly client: Client;
  /** The host that keeps the machines of a build; of one that nobody keeps, any. @throws HostSilent where one may */
  readonly hostOf: (build: string) => Promise<string>;
  /** What is kept now. */
  readonly list: () => Promise<Pick<SnapshotList, 'kept' | 'silent'>>;
}

export function createDebugSessions({ client, hostOf, list }: DebugDeps): DebugSessions {
  const handleOf = (id: string) => client.workflow.getHandle<(input: DebugInput) => Promise<void>>(id);
  return {
    async open(actor, wish) {
      const { build, until, step } = wish;
      demand(actor, 'debug', { name: build });
      const host = await hostOf(build);
      const workflowId = debugId(host, build);
      if ((await lookAtLastRun(client, workflowId)).state === 'running') {
        const { step: at, ending } = await handleOf(workflowId).query(debugQuery);
        if (ending !== undefined) throw new SessionEnds(build, ending);
        if (step !== undefined && at !== step) throw new OtherSession(build, at);
      } else if (keptOf(await list(), build) === undefined) {
        throw new NothingKept(build);
      }
      const input: DebugInput = { host, ...wish };
      await client.workflow.signalWithStart('debugSession', {
        ...{ workflowId, taskQueue: taskQueues.control, args: [input] },
        ...{ signal: debugUntilSignal, signalArgs: [{ until }], staticSummary: `Debug ${build}, for ${actor.name}` },
      });
    },
    async look(build) {
      const id = debugId(await hostOf(build), build);
      const run = await lookAtLastRun(client, id);
      if (run.state === 'failed') return { build, ...run };
      if (run.state !== 'running') return { build, state: run.state };
      const session = await handleOf(id).query(debugQuery);
      if (session.ending !== undefined) return { build, state: 'ending', reason: session.ending };
      return session.nodes.length === 0 ? { build, state: 'restoring' } : { build, state: 'open', session };
    },
    async close(actor, build) {
      demand(actor, 'debug', { name: build });
      try {
        await handleOf(debugId(await hostOf(build), build)).signal(debugUntilSignal, { until: 0 });
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}

/**
 * Finds where the machines of a build are kept, and remembers it: they do not move. Where nobody keeps them it throws
 * HostSilent as long as a host does not answer: they may be there.
 *
 * @param own the server's host
 */
export function findHosts(own: string, others: () => readonly string[], list: Machines['list']): DebugDeps['hostOf'] {
  const known = new Map<string, string>();
  return async (build) => {
    if (others().length === 0) return own;
    const found = known.get(build) ?? keptOf(await list(), build)?.host;
    if (found !== undefined) known.set(build, found);
    return found ?? own;
  };
}
