import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Worker } from '@temporalio/worker';
import { isVirtual } from '../../pipelines/model/platform.ts';
import { createApp } from '../../server/app.ts';
import { createByHand } from '../../server/by-hand.ts';
import { createDebugSessions, findHosts } from '../../server/debug-sessions.ts';
import type { ServerDeps } from '../../server/deps.ts';
import { createHolds } from '../../server/holds.ts';
import { createMachines } from '../../server/machines.ts';
import { createNodesLook } from '../../server/nodes.ts';
import { allPlatforms } from '../config/platforms.ts';
import type { keepTellingOf } from './config-watch.ts';
import type { ControlDeps, createControl } from './control.ts';
import { createExports } from './exports.ts';
import type { InUse } from './in-use.ts';
import type { startIngest } from './ingest.ts';
import { createMirrorDesk } from './mirror-desk.ts';
import { setsShowing } from './mirrors.ts';
import { type capacityIn, machinesIn, providersIn } from './nodes.ts';
import type { Streams } from './streams.ts';
import { openTestService } from './test-service.ts';
import { createWorkersDesk } from './workers-desk.ts';

/** What the server process has at work when it begins to answer. */
export interface AppParts
  extends Pick<ControlDeps, 'common' | 'temporal' | 'store' | 'logger'>,
    Pick<ServerDeps, 'secrets' | 'token'> {
  readonly settings: ControlDeps['live'];
  readonly live: ServerDeps['live'];
  readonly capacity: ReturnType<typeof capacityIn>;
  readonly control: ReturnType<typeof createControl>;
  readonly worker: Pick<Worker, 'getState'>;
  readonly ingest: ReturnType<typeof startIngest>;
  readonly streams: Pick<Streams, 'unheard'>;
  readonly inUse: Pick<InUse, 'look'>;
  readonly telling: Pick<ReturnType<typeof keepTellingOf>, 'reload'>;
}

/** The HTTP side of the server process. Listens on nothing yet. */
export function createServerApp(parts: AppParts): ReturnType<typeof createApp> {
  const { common, store, live, secrets, token, logger, worker, ingest, streams, inUse } = parts;
  const { config, paths, blobs, logs, released, modules, objects } = common;
  const { uiUrl, namespace } = config.temporal;
  return createApp({
    ...{ store, live, paths, blobs, logs, released, modules, objects, secrets, token, logger },
    ...desksOf(parts),
    ...controlOf(parts),
    holder: { name: userInfo().username, kind: 'person', via: 'token' },
    ...{ ingest, intake: ingest.intake, unheard: streams.unheard, listInUse: inUse.look },
    url: config.server.url,
    rpmName: config.release.rpm.name,
    approvals: (connection) => config.connections[connection]?.approve,
    configuration: configurationOf(parts),
    temporalUi: { url: uiUrl, namespace },
    ready: async () => {
      if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState().toLowerCase()}`);
    },
  });
}

/** What people, and workers on other machines, ask for. */
function desksOf({ common, temporal, store, settings, capacity, logger }: AppParts) {
  const { config, blobs, paths } = common;
  const { client } = temporal;
  const { tenant } = config;
  const host = hostname();
  const virtual = allPlatforms(config).filter(isVirtual);
  const others = () => Object.keys(settings.settings().nodes.vm.hosts);
  const lends = () => settings.settings().nodes.vm.maxServers > 0;
  const holds = createHolds({ client, tenant });
  const machines = createMachines({ client, host, platforms: virtual.map(({ name }) => name), others, lends, holds });
  return {
    ...{ machines, holds },
    workers: createWorkersDesk(common, client, store),
    byHand: createByHand({
      ...{ client, tenant, platforms: allPlatforms(config) },
      ...{ blobs, store, workRoot: paths.work },
    }),
    mirrorDesk: createMirrorDesk({ common, live: settings, logger }),
    exports: createExports({ common, client, machines }),
    ...openTestService(common, { client, store, logger }),
    debugging: createDebugSessions({ client, hostOf: findHosts(host, others, machines.list), list: machines.list }),
    nodes: createNodesLook({
      ...{ client, store, holds, capacity, machinesOf: machinesIn(common) },
      providers: providersIn(config),
    }),
  } satisfies Partial<ServerDeps>;
}

function controlOf({ control }: AppParts) {
  const { operations, changes, layout, pipelines, absent, plans, giveMetadata, pendingSteps, router } = control;
  return {
    ...{ operations, changes, layout, pipelines, absent, giveMetadata, pendingSteps },
    releasePlans: plans,
    obstaclesOf: (change: string) => router.obstacles(change),
  } satisfies Partial<ServerDeps>;
}

function configurationOf({ common, settings, telling }: AppParts) {
  const mirrors = () => settings.settings().mirrors;
  return {
    notice: settings.notice,
    reload: telling.reload,
    mirrorSets: () => Object.keys(mirrors()),
    mirrorsOf: (repository: string) => setsShowing(mirrors(), join(common.paths.released, repository)),
  } satisfies ServerDeps['configuration'];
}
