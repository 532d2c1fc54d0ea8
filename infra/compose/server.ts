import { mkdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { makeOpenDirectory } from '../../activities/files/modes.ts';
import { keepHelper } from '../../activities/process/helper.ts';
import { createReportActivities } from '../../activities/report/activities.ts';
import { isVirtual } from '../../pipelines/model/platform.ts';
import { createApp } from '../../server/app.ts';
import { keepSignal } from '../../server/audit.ts';
import { createByHand } from '../../server/by-hand.ts';
import { createDebugSessions, findHosts } from '../../server/debug-sessions.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import { createProgress } from '../../server/events/progress.ts';
import { createHolds } from '../../server/holds.ts';
import { createLiveStream } from '../../server/live.ts';
import { createMachines } from '../../server/machines.ts';
import { createNodesLook } from '../../server/nodes.ts';
import { readOrCreateToken } from '../../server/token.ts';
import { allPlatforms } from '../config/platforms.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { openStore } from '../store/store.ts';
import { bundleWorkflows } from '../temporal/bundle.ts';
import { registerSearchAttributes } from '../temporal/connection.ts';
import { openPayloads } from '../temporal/open-payloads.ts';
import { scheduleMirrorRetention, scheduleReviewSync, scheduleSweep, startTimers } from '../temporal/schedules.ts';
import { scheduleSnapshots } from '../temporal/snapshot-schedules.ts';
import { createControlWorker } from '../temporal/worker.ts';
import { createCommon } from './common.ts';
import { keepTellingOf } from './config-watch.ts';
import { connectPatiently } from './connect.ts';
import { createControl } from './control.ts';
import { createExports } from './exports.ts';
import { createInUse } from './in-use.ts';
import { startIngest } from './ingest.ts';
import { listen } from './listen.ts';
import { createLogger, logTemporal } from './logging.ts';
import { createMirrorDesk } from './mirror-desk.ts';
import { keepCollecting, keepScheduled, setsShowing } from './mirrors.ts';
import { capacityIn, machinesIn, providersIn } from './nodes.ts';
import { requireOwnArchitecture } from './own-architecture.ts';
import { payloadStore } from './payload-store.ts';
import { requireProvisioning } from './provisioning.ts';
import { keepTold, keepToldOfHosts, tellCapacity } from './ready.ts';
import { createSecrets } from './secrets.ts';
import { listenToStreams } from './streams.ts';
import { requireTestSecret } from './test-secret.ts';
import { openTestService } from './test-service.ts';
import { requireOtherNames } from './vm-hosts.ts';
import { workerPart } from './worker-part.ts';
import { createWorkersDesk } from './workers-desk.ts';

/** The server process: page, API, store, and the worker that runs all workflows. */
export async function startServer(config: StackConfig): Promise<Part> {
  const logger = createLogger('server');
  logTemporal(logger);
  // It ends with this process.
  keepHelper();
  await requireTestSecret(config);
  await requireProvisioning(config);
  requireOtherNames(config);
  requireOwnArchitecture(config);
  const common = createCommon(config);
  const { paths } = common;
  for (const path of [paths.storage, paths.repositories, paths.released]) await makeOpenDirectory(path);
  await mkdir(paths.git, { recursive: true });
  const [temporal, bundle, store, token] = await Promise.all([
    connectPatiently(config, payloadStore(dataPaths(config.data))),
    bundleWorkflows(),
    openStore(paths.store, config.tenant),
    readOrCreateToken(config.data),
  ]);
  await registerSearchAttributes(temporal);
  for (const name of Object.keys(config.connections)) await scheduleReviewSync(temporal.client, name);
  await startTimers(temporal.client, config.tenant);
  await scheduleSweep(temporal.client, config.tenant);
  const virtual = allPlatforms(config).filter(isVirtual);
  const machines = { client: temporal.client, host: hostname(), platforms: virtual.map(({ name }) => name) };
  await scheduleSnapshots(machines, config.snapshots.prepareAt);

  const live = createLiveStream();
  const report = createReportActivities({ store, publish: live.publish });
  const schedule = (every: number) => scheduleMirrorRetention(temporal.client, config.tenant, every);
  const capacity = capacityIn(common.live, config.data, common.findPlatform);
  const tell = () => tellCapacity(temporal.client, capacity);
  const settings = keepTold(keepScheduled(common.live, schedule, logger), tell, logger);
  await schedule(settings.settings().retention.mirrors);
  await tell();
  const toldOfHosts = keepToldOfHosts({ capacity, tell, logger });
  const secrets = await createSecrets(common, store, settings);
  const { sealer } = secrets;
  const control = createControl({ common, live: settings, temporal, store, report, sealer, logger });
  const progress = createProgress({ hostOf: (connection) => control.router.host(connection), every: 10_000 });
  live.subscribe((event) => event.type === 'queue' && progress(event.data));
  const worker = await createControlWorker({ temporal, bundle, activities: control.activities });
  const ingest = startIngest({ store, connections: control.connections, router: control.router, logger });
  const streams = listenToStreams({ connections: control.connections, take: ingest.take, logger });
  const inUse = createInUse({
    ...{ store, storage: paths.storage, keep: () => settings.settings().retention.builds },
    open: () => openPayloads(temporal.client),
  });
  const holds = createHolds({ client: temporal.client, tenant: config.tenant });
  const others = () => Object.keys(settings.settings().nodes.vm.hosts);
  const lends = () => settings.settings().nodes.vm.maxServers > 0;
  const looked = createMachines({ ...machines, others, lends, holds });
  const nodes = createNodesLook({
    ...{
      client: temporal.client,
      store,
      holds,
      capacity,
      machinesOf: machinesIn(common),
    },
    providers: providersIn(config),
  });
  const problems = async () => (await control.layout()).problems;
  const telling = keepTellingOf(settings, { logger, publish: live.publish, problems });
  const { uiUrl, namespace } = config.temporal;
  const app = await createApp({
    ...{
      store,
      live,
      paths,
      blobs: common.blobs,
      logs: common.logs,
      released: common.released,
      modules: common.modules,
      objects: common.objects,
      workers: createWorkersDesk(common, temporal.client, store),
      machines: looked,
      byHand: createByHand({
        ...{ client: temporal.client, tenant: config.tenant, platforms: allPlatforms(config) },
        ...{ blobs: common.blobs, store, workRoot: paths.work },
      }),
      mirrorDesk: createMirrorDesk({ common, live: settings, logger }),
      exports: createExports({ common, client: temporal.client, machines: looked }),
      ...openTestService(common, { client: temporal.client, store, logger }),
      debugging: createDebugSessions({
        client: temporal.client,
        hostOf: findHosts(machines.host, others, looked.list),
      }),
      holds,
      nodes,
      releasePlans: control.plans,
      giveMetadata: control.giveMetadata,
      pendingSteps: control.pendingSteps,
      token,
      secrets,
      logger,
    },
    holder: { name: userInfo().username, kind: 'person', via: 'token' },
    ...{ operations: control.operations, changes: control.changes, ingest, intake: ingest.intake },
    url: config.server.url,
    rpmName: config.release.rpm.name,
    layout: control.layout,
    pipelines: control.pipelines,
    approvals: (connection) => config.connections[connection]?.approve,
    obstaclesOf: (change) => control.router.obstacles(change),
    listInUse: inUse.look,
    unheard: streams.unheard,
    absent: control.absent,
    configuration: {
      notice: settings.notice,
      reload: telling.reload,
      mirrorSets: () => Object.keys(settings.settings().mirrors),
      mirrorsOf: (repository) => setsShowing(settings.settings().mirrors, join(paths.released, repository)),
    },
    temporalUi: { url: uiUrl, namespace },
    ready: async () => {
      if (worker.getState() !== 'RUNNING') throw new Error(`the worker is ${worker.getState().toLowerCase()}`);
    },
  });
  const ask = (set: string) => askMirror(temporal.client, set, { action: 'sync' });
  const collecting = await keepCollecting({ common, live: settings, report, logger, ask });
  const stopListening = await listen(app, config);
  const looking = inUse.keepLooking(logger);
  const part = workerPart([worker], async () => {
    looking.stop();
    telling.stop();
    await toldOfHosts.stop();
    await collecting.stop();
    await stopListening();
    await streams.stop();
    await ingest.stop();
    await store.close();
    await temporal.close();
  });
  const local = { name: userInfo().username, kind: 'person', via: 'local' } as const;
  const reload = () => {
    keepSignal(store.acts, local, telling.reloadQuietly()).catch((error) => logger.error(error));
  };
  return { ...part, reload };
}
