import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { Actor } from '../pipelines/model/actor.ts';
import { demand } from '../pipelines/policy/access.ts';
import { taskQueues } from '../workflows/contract.ts';
import { snapshotExpiryId, snapshotListId, snapshotPreparationId } from '../workflows/ids.ts';
import type {
  ExpiredSnapshot,
  Expiry,
  HostMachines,
  KeptView,
  PreparedSnapshot,
  SilentHost,
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

/** What people ask for about the virtual machines of this server's host, and of others. */
export interface Machines {
  /** Platforms that have virtual machines. */
  readonly platforms: readonly string[];
  list(): Promise<SnapshotList>;
  /** Begins to prepare the machines of a platform, or joins who does so already. */
  prepare(actor: Actor, platform: string): Promise<void>;
  /** `unknown` where Temporal keeps nothing of one. */
  preparation(platform: string): Promise<Preparation>;
  expire(actor: Actor): Promise<Expiry>;
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
  /** The server's own. */
  readonly host: string;
  /** Hosts elsewhere, as configured now; absent: none. */
  readonly others?: () => readonly string[];
  /** Whether machines are lent on the server's own, as configured now; absent: they are. */
  readonly lends?: () => boolean;
  readonly platforms: readonly string[];
  /** Nodes of failed jobs that stay as they are, virtual machines and others. */
  readonly holds: Pick<NodeHolds, 'list'>;
}

/** A host's worker that does not answer; the message says so. */
class HostSilent extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HostSilent';
  }
}

/**
 * Finds the machines that are kept of a build.
 *
 * @throws HostSilent where there are none, and a host that may keep them does not answer
 */
export function keptOf({ kept, silent = [] }: Pick<SnapshotList, 'kept' | 'silent'>, build: string) {
  const found: KeptView | undefined = kept.find((each) => each.build === build);
  if (found === undefined && silent.length > 0) throw new HostSilent(silent.map(({ reason }) => reason).join('; '));
  return found;
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

export function createMachines(deps: MachinesDeps): Machines {
  const { client, host, others = () => [], lends = () => true, platforms, holds } = deps;
  /** Where machines are prepared: where some are lent. */
  const preparing = () => (lends() || others().length === 0 ? [host, ...others()] : others());
  const machines: Machines = {
    platforms,
    async list() {
      const [{ answers, said }, held] = await Promise.all([askAll(deps, lookAt), holds.list()]);
      return { ...joined(answers, held, others()), ...said };
    },
    async prepare(actor, platform) {
      demand(actor, 'prepare', { name: platform });
      const by = actor.name;
      await Promise.all(preparing().map((of) => startPreparation(client, { host: of, platform, missing: false }, by)));
    },
    async preparation(platform) {
      const looks = preparing().map((of) => preparationOn(client, of, { platform, told: of !== host }));
      return worstOf(await Promise.all(looks)) ?? { platform, state: 'unknown' };
    },
    async expire(actor) {
      demand(actor, 'expire', { name: 'snapshots' });
      const { answers, said } = await askAll(deps, expireOn);
      return { removed: answers.flat(), ...said };
    },
    unprepared: fresh(async () => {
      const all = await Promise.all(platforms.map((platform) => machines.preparation(platform)));
      return all.flatMap((each) => (each.state === 'failed' ? [{ platform: each.platform, reason: each.reason }] : []));
    }),
  };
  return machines;
}

type HostList = HostMachines & { readonly host: string };

async function lookAt(client: Client, of: string): Promise<HostList> {
  return { ...(await runOn<HostMachines>(client, of, { type: 'snapshotList', id: snapshotListId(of) })), host: of };
}

function expireOn(client: Client, of: string): Promise<readonly ExpiredSnapshot[]> {
  return runOn(client, of, { type: 'snapshotExpiry', id: snapshotExpiryId(of) });
}

async function runOn<T>(
  client: Client,
  of: string,
  { type, id }: { readonly type: string; readonly id: string },
): Promise<T> {
  const args: [SnapshotHostInput] = [{ host: of }];
  try {
    return await client.workflow.execute<(input: SnapshotHostInput) => Promise<T>>(type, {
      ...start,
      workflowId: id,
      args,
    });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new HostSilent(`the worker of ${of} does not say what it keeps: ${whyFailed(error)}`);
  }
}

/** A host elsewhere that does not answer is no reason to be silent about the others. */
async function askAll<T>(
  { client, host, others = () => [] }: MachinesDeps,
  ask: (client: Client, host: string) => Promise<T>,
) {
  const askOne = (of: string) => ask(client, of);
  const [own, far] = await Promise.all([askOne(host), Promise.all(others().map(unlessSilent(askOne)))]);
  const silent = far.flatMap((each) => ('silent' in each ? [each.silent] : []));
  const answers = [own, ...far.flatMap((each) => ('found' in each ? [each.found] : []))];
  return { answers, said: silent.length > 0 ? { silent } : {} };
}

/** What the hosts that answer keep, as one list. @param others all hosts elsewhere, whether they answer or not */
function joined(
  there: readonly HostList[],
  holds: Awaited<ReturnType<NodeHolds['list']>>,
  others: readonly string[],
): SnapshotList {
  const builds = new Set(there.flatMap((each) => each.builds ?? []));
  const missingOn = there.flatMap(({ host, missing }) => missing.map((platform) => ({ platform, host })));
  const hosts = [...there.map(({ host }) => host), ...others];
  const held = holds.flatMap(({ id, held }) => held.map((each) => ({ hold: id, ...each })));
  return {
    snapshots: there.flatMap(({ snapshots }) => snapshots),
    kept: there.flatMap(({ kept }) => kept).toSorted((a, b) => b.time - a.time),
    missing: [...new Set(there.flatMap(({ missing }) => missing))],
    failed: there.flatMap(({ failed }) => failed),
    held: held.filter((each) => hosts.includes(each.host) && builds.has(each.build)),
    ...(others.length === 0 ? {} : { missingOn }),
  };
}

function worstOf(all: readonly Preparation[]): Preparation | undefined {
  const order: readonly Preparation['state'][] = ['failed', 'running', 'unknown', 'done'];
  return order.flatMap((state) => all.filter((each) => each.state === state))[0];
}

type Answer<T> = { readonly found: T } | { readonly silent: SilentHost };

function unlessSilent<T>(ask: (host: string) => Promise<T>) {
  return (host: string): Promise<Answer<T>> =>
    ask(host).then(
      (found) => ({ found }),
      (error: Error) => {
        if (!(error instanceof HostSilent)) throw error;
        return { silent: { host, reason: error.message } };
      },
    );
}

/** @param told whether a reason names the host */
async function preparationOn(
  client: Client,
  host: string,
  { platform, told }: { readonly platform: string; readonly told: boolean },
): Promise<Preparation> {
  const last = await lookAtLastRun<readonly PreparedSnapshot[]>(client, snapshotPreparationId(host, platform));
  if (last.state === 'running') return { platform, state: 'running' };
  if (last.state === 'failed') {
    return { platform, state: 'failed', reason: told ? `${host}: ${last.reason}` : last.reason };
  }
  const prepared = last.state === 'ended' ? last.result[0] : undefined;
  return prepared === undefined ? { platform, state: 'unknown' } : { platform, state: 'done', prepared };
}

/** Looks again when the last answer has grown old. */
function fresh<T>(look: () => Promise<T>): () => Promise<T> {
  let last: { readonly time: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.time > freshFor) last = { time: Date.now(), answer: look() };
    return last.answer;
  };
}
