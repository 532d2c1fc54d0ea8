import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { snapshotExpiryId, snapshotListId, snapshotPreparationId } from '../workflows/ids.ts';
import type {
  ExpiredSnapshot,
  PreparedSnapshot,
  SnapshotHostInput,
  SnapshotList,
  SnapshotPreparationInput,
} from '../workflows/snapshots-contract.ts';

/** How a preparation goes that somebody has asked for. */
export type Preparation =
  | { readonly platform: string; readonly state: 'running' | 'unknown' }
  | { readonly platform: string; readonly state: 'done'; readonly prepared: PreparedSnapshot }
  | { readonly platform: string; readonly state: 'failed'; readonly reason: string };

/** What people ask for about the virtual machines of this server's host. */
export interface Machines {
  /** Platforms that have virtual machines. */
  readonly platforms: readonly string[];
  list(): Promise<SnapshotList>;
  /** Begins to prepare the machines of a platform, or joins who does so already. */
  prepare(actor: Actor, platform: string): Promise<void>;
  /** `unknown` where Temporal keeps nothing of one. */
  preparation(platform: string): Promise<Preparation>;
  expire(actor: Actor): Promise<readonly ExpiredSnapshot[]>;
  /** Platforms whose last preparation has failed; looked at now and then. */
  unprepared(): Promise<readonly Unprepared[]>;
}

/** A platform whose machines could not be prepared, and why. */
export interface Unprepared {
  readonly platform: string;
  readonly reason: string;
}

/** Milliseconds for which an answer of `unprepared` is good. */
const freshFor = 15_000;

export interface MachinesDeps {
  readonly client: Client;
  readonly host: string;
  readonly platforms: readonly string[];
}

/** A host's worker that does not answer; the message says so. */
export class HostSilent extends Error {
  constructor(host: string, reason: string) {
    super(`the worker of ${host} does not say what it keeps: ${reason}`);
    this.name = 'HostSilent';
  }
}

export function createMachines({ client, host, platforms }: MachinesDeps): Machines {
  const start = { taskQueue: taskQueues.control, workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  const run = async <T>(type: string, workflowId: string): Promise<T> => {
    const args: [SnapshotHostInput] = [{ host }];
    try {
      return await client.workflow.execute<(input: SnapshotHostInput) => Promise<T>>(type, {
        ...start,
        workflowId,
        args,
      });
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw new HostSilent(host, rootCause(error.cause) ?? String(error));
      throw error;
    }
  };
  const machines: Machines = {
    platforms,
    list: () => run<SnapshotList>('snapshotList', snapshotListId(host)),
    async prepare(actor, platform) {
      demand(actor, 'prepare', { name: platform });
      const input: SnapshotPreparationInput = { host, platform, missing: false };
      await client.workflow.start('snapshotPreparation', {
        ...{ ...start, workflowId: snapshotPreparationId(host, platform), args: [input] },
        staticSummary: `Prepare the machines of ${platform}`,
      });
    },
    async preparation(platform) {
      type Preparing = (input: SnapshotPreparationInput) => Promise<readonly PreparedSnapshot[]>;
      const id = snapshotPreparationId(host, platform);
      try {
        const { status, runId } = await client.workflow.getHandle(id).describe();
        if (status.name === 'RUNNING') return { platform, state: 'running' };
        // Of that very run: another one that has begun since is not waited for.
        const [prepared] = await client.workflow.getHandle<Preparing>(id, runId).result();
        return prepared === undefined ? { platform, state: 'unknown' } : { platform, state: 'done', prepared };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { platform, state: 'unknown' };
        if (!(error instanceof WorkflowFailedError)) throw error;
        return { platform, state: 'failed', reason: rootCause(error.cause) ?? String(error) };
      }
    },
    async expire(actor) {
      demand(actor, 'expire', { name: 'snapshots' });
      return run<readonly ExpiredSnapshot[]>('snapshotExpiry', snapshotExpiryId(host));
    },
    unprepared: fresh(async () => {
      const all = await Promise.all(platforms.map((platform) => machines.preparation(platform)));
      return all.flatMap((each) => (each.state === 'failed' ? [{ platform: each.platform, reason: each.reason }] : []));
    }),
  };
  return machines;
}

/** Looks again when the last answer has grown old. */
function fresh<T>(look: () => Promise<T>): () => Promise<T> {
  let last: { readonly time: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.time > freshFor) last = { time: Date.now(), answer: look() };
    return last.answer;
  };
}
