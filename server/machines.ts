import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { snapshotExpiryId, snapshotListId, snapshotPreparationId } from '../workflows/ids.ts';
import type {
  ExpiredSnapshot,
  HostMachines,
  PreparedSnapshot,
  SnapshotHostInput,
  SnapshotList,
  SnapshotPreparationInput,
} from '../workflows/snapshots-contract.ts';
import type { NodeHolds } from './holds.ts';
import { lookAtLastRun, whyFailed } from './last-run.ts';

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
  /** Nodes of failed jobs that stay as they are, virtual machines and others. */
  readonly holds: Pick<NodeHolds, 'list'>;
}

/** A host's worker that does not answer; the message says so. */
export class HostSilent extends Error {
  constructor(host: string, reason: string) {
    super(`the worker of ${host} does not say what it keeps: ${reason}`);
    this.name = 'HostSilent';
  }
}

/** One of a kind at a time: who asks again joins it. */
const start = { taskQueue: taskQueues.control, workflowIdConflictPolicy: 'USE_EXISTING' } as const;

/**
 * Begins to prepare the machines of a platform, or joins who does so.
 *
 * @param by name of who asked for it; absent: nobody did
 */
export function startPreparation(
  client: Client,
  input: SnapshotPreparationInput & { readonly platform: string },
  by?: string,
) {
  const { host, platform } = input;
  return client.workflow.start<Preparing>('snapshotPreparation', {
    ...{ ...start, workflowId: snapshotPreparationId(host, platform), args: [input] },
    staticSummary: `Prepare the machines of ${platform}${by === undefined ? '' : `, for ${by}`}`,
  });
}

type Preparing = (input: SnapshotPreparationInput) => Promise<readonly PreparedSnapshot[]>;

export function createMachines({ client, host, platforms, holds }: MachinesDeps): Machines {
  const run = async <T>(type: string, workflowId: string): Promise<T> => {
    const args: [SnapshotHostInput] = [{ host }];
    try {
      return await client.workflow.execute<(input: SnapshotHostInput) => Promise<T>>(type, {
        ...start,
        workflowId,
        args,
      });
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw new HostSilent(host, whyFailed(error));
      throw error;
    }
  };
  const machines: Machines = {
    platforms,
    async list() {
      const [{ builds, ...found }, all] = await Promise.all([
        run<HostMachines>('snapshotList', snapshotListId(host)),
        holds.list(),
      ]);
      const held = all.flatMap(({ id, held }) => held.map((each) => ({ hold: id, ...each })));
      return { ...found, held: held.filter((each) => each.host === host && builds?.includes(each.build) === true) };
    },
    async prepare(actor, platform) {
      demand(actor, 'prepare', { name: platform });
      await startPreparation(client, { host, platform, missing: false }, actor.name);
    },
    async preparation(platform) {
      const id = snapshotPreparationId(host, platform);
      const last = await lookAtLastRun<readonly PreparedSnapshot[]>(client, id);
      if (last.state === 'running') return { platform, state: 'running' };
      if (last.state === 'failed') return { platform, ...last };
      const prepared = last.state === 'ended' ? last.result[0] : undefined;
      return prepared === undefined ? { platform, state: 'unknown' } : { platform, state: 'done', prepared };
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
