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
}

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
  return {
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
      const handle = client.workflow.getHandle<
        (input: SnapshotPreparationInput) => Promise<readonly PreparedSnapshot[]>
      >(snapshotPreparationId(host, platform));
      try {
        if ((await handle.describe()).status.name === 'RUNNING') return { platform, state: 'running' };
        const [prepared] = await handle.result();
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
  };
}
