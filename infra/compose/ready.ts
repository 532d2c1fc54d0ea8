import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Logger } from 'pino';
import { startOfNodes } from '../../activities/jobs/nodes.ts';
import type { Provider } from '../../activities/nodes/port.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import { type Platform, type PlatformProvider, providerOf } from '../../pipelines/model/platform.ts';
import { type Capacity, type ReadyWish, sizeWithin } from '../../pipelines/nodes/capacity.ts';
import { readyIdsIn } from '../../pipelines/nodes/ready.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { nodesId } from '../../workflows/ids.ts';
import { nodesCapacitySignal, nodesQuery } from '../../workflows/messages.ts';
import type { LiveConfig } from '../common/live-config.ts';
import type { Labels } from '../config/labels.ts';
import { type NowAndThen, nowAndThen } from './now-and-then.ts';

/** Providers whose nodes can stand ready. */
const makers = ['docker', 'vm'] as const satisfies readonly PlatformProvider[];

/**
 * The nodes of a provider that are to stand ready.
 *
 * @param of `host`: the machine that they stand on; null: whichever of the provider's hosts has room
 */
export function wishesIn(
  labels: Labels,
  { provider, host = hostname() }: { readonly provider: string; readonly host?: string | null },
  findPlatform: (label: string) => Platform | undefined,
): readonly ReadyWish[] {
  return Object.entries(labels).flatMap(([label, { minReady: min, maxReadyAge }]) => {
    const platform = findPlatform(label);
    if (min === 0 || platform === undefined || providerOf(platform) !== provider) return [];
    const age = maxReadyAge === undefined ? {} : { maxAge: maxReadyAge * 1000 };
    const place = host === null ? {} : { queue: taskQueues.host(host) };
    return [{ label, size: sizeWithin(platform.limits), min, ...age, ...place }];
  });
}

/** Stages whose node is taken as it stands ready: of containers, one has the name and the network that these ask for. */
const able = {
  docker: new Set<FrozenJob['uses']>(['repocheck', 'install']),
  vm: new Set<FrozenJob['uses']>(['repocheck', 'install', 'systest', 'test']),
} as const;

/**
 * Whether a job takes nodes that stand ready where there are some: where all of its labels have such nodes, and none asks
 * for another size. Of several containers it does not, for each of these has a network and a name of its own.
 */
export function takesReady(job: Pick<FrozenJob, 'uses' | 'nodeset'>, platform: Platform, labels: Labels): boolean {
  const provider = providerOf(platform);
  if (provider === 'static' || !able[provider].has(job.uses)) return false;
  const { nodes } = job.nodeset;
  const few = nodes.length === 1 || (nodes.length > 1 && provider === 'vm');
  return few && nodes.every(({ label, size }) => size === undefined && (labels[label]?.minReady ?? 0) > 0);
}

/** Lets the entities know what there is to be, as the server starts and whenever it has read other settings. */
export async function tellCapacity(client: Client, capacity: (provider: string) => Promise<Capacity>): Promise<void> {
  for (const provider of makers) {
    const now = await capacity(provider);
    const args: [{ readonly capacity: Capacity }] = [{ capacity: now }];
    if (now.ready !== undefined) {
      await client.workflow.signalWithStart('nodes', {
        ...startOfNodes(provider),
        ...{ signal: nodesCapacitySignal, signalArgs: args },
      });
      continue;
    }
    // Where none is to stand ready, nobody need be started to hear it.
    await client.workflow
      .getHandle(nodesId(provider))
      .signal(nodesCapacitySignal, ...args)
      .catch((error) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  }
}

/** A configuration whose reload is told to the entities as well. */
export function keepTold(live: LiveConfig, tell: () => Promise<void>, logger: Pick<Logger, 'warn'>): LiveConfig {
  return {
    ...live,
    reload() {
      const reloaded = live.reload();
      tell().catch((error) => logger.warn({ error }, 'cannot say how many nodes are to stand ready'));
      return reloaded;
    },
  };
}

/** Milliseconds between two looks how the hosts of virtual machines are. */
const usualPeriod = 10_000;

/**
 * Lets the entity of virtual machines know when a host goes away or is back, until it is stopped: it need not be asked
 * for anything meanwhile, and has nodes stand ready where they can.
 */
export function keepToldOfHosts({ capacity, tell, logger }: ToldOfHosts, period = usualPeriod): NowAndThen {
  let told = '';
  const look = async () => {
    const { hosts, ready } = await capacity('vm');
    const now = hosts === undefined ? '' : JSON.stringify({ hosts, ready });
    if (now !== told && now !== '') await tell();
    told = now;
  };
  const unsaid = (error: unknown) => logger.warn({ error }, 'cannot say how the hosts of virtual machines are');
  return nowAndThen(() => look().catch(unsaid), period);
}

interface ToldOfHosts {
  readonly capacity: (provider: string) => Promise<Capacity>;
  readonly tell: () => Promise<void>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Milliseconds for an entity to answer a worker that stops. */
const patience = 5_000;

/**
 * Removes what stands ready on a host elsewhere, whose worker ends: it is made again when that is back. A host that does
 * not answer soon keeps it: who asks then finds that its snapshot, or nobody's wish, is behind it, or lends it.
 */
export async function removeReadyIn(
  provider: Pick<Provider, 'list' | 'sweep'>,
  logger: Pick<Logger, 'warn'>,
  within = patience,
): Promise<void> {
  let late = false;
  const remove = async () => {
    for (const id of readyIdsIn((await provider.list()).map(({ build: name }) => ({ name })))) {
      // Nobody closes the connection that another one would open.
      if (!late) await provider.sweep(id);
    }
  };
  const removing = remove().catch((error) => logger.warn({ error }, 'nodes that stand ready may be left'));
  await Promise.race([removing, sleep(within, undefined, { ref: false })]);
  late = true;
}

/** Removes what stands ready on this machine, whose worker ends: it is made again when that is back. */
export async function removeReady(
  client: Client,
  provider: Pick<Provider, 'sweep'>,
  logger: Pick<Logger, 'warn'>,
): Promise<void> {
  for (const name of makers) {
    try {
      const ask = () => client.workflow.getHandle(nodesId(name)).query(nodesQuery);
      const { ready = [] } = await client.withDeadline(Date.now() + patience, ask);
      const here = ready.filter(({ queue }) => queue === taskQueues.host(hostname()));
      for (const { id } of here) await provider.sweep(id);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) logger.warn({ error }, 'nodes that stand ready may be left');
    }
  }
}
