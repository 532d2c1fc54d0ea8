import { mkdir } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import type { Logger } from 'pino';
import { makeOpenDirectory } from '../../activities/files/modes.ts';
import { keepHelper } from '../../activities/process/helper.ts';
import { createReportActivities } from '../../activities/report/activities.ts';
import { isVirtual } from '../../pipelines/model/platform.ts';
import { keepSignal } from '../../server/audit.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import { createProgress } from '../../server/events/progress.ts';
import { createLiveStream } from '../../server/live.ts';
import { readOrCreateToken } from '../../server/token.ts';
import { type Common, createCommon } from '../common/common.ts';
import { listen } from '../common/listen.ts';
import { createLogger, logTemporal } from '../common/logging.ts';
import { requireOwnArchitecture } from '../common/own-architecture.ts';
import { requireOtherNames } from '../common/vm-hosts.ts';
import { allPlatforms } from '../config/platforms.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { openStore } from '../store/store.ts';
import { bundleWorkflows } from '../temporal/bundle.ts';
import { registerSearchAttributes, type TemporalConnection } from '../temporal/connection.ts';
import { openPayloads } from '../temporal/open-payloads.ts';
import { scheduleMirrorRetention, scheduleReviewSync, scheduleSweep, startTimers } from '../temporal/schedules.ts';
import { scheduleSnapshots } from '../temporal/snapshot-schedules.ts';
import { createControlWorker } from '../temporal/worker.ts';
import { keepTellingOf } from './config-watch.ts';
import { connectPatiently } from './connect.ts';
import { createControl } from './control.ts';
import { createInUse } from './in-use.ts';
import { startIngest } from './ingest.ts';
import { keepCollecting, keepScheduled } from './mirrors.ts';
import { capacityIn } from './nodes.ts';
import { payloadStore } from './payload-store.ts';
import { requireProvisioning } from './provisioning.ts';
import { keepTold, keepToldOfHosts, tellCapacity } from './ready.ts';
import { createSecrets } from './secrets.ts';
import { createServerApp } from './server-app.ts';
import { listenToStreams } from './streams.ts';
import { requireTestSecret } from './test-secret.ts';
import { workerPart } from './worker-part.ts';

/** The server process: page, API, store, and the worker that runs all workflows. */
export async function startServer(config: StackConfig): Promise<Part> {
  const logger = createLogger('server');
  logTemporal(logger);
  // It ends with this process.
  keepHelper();
  await requireUsable(config);
  const common = createCommon(config);
  const { temporal, bundle, store, token } = await openAll(common);
  await scheduleAll(temporal, config);

  const live = createLiveStream();
  const report = createReportActivities({ store, publish: live.publish });
  const { settings, capacity, toldOfHosts } = await followSettings(common, temporal, logger);
  const secrets = await createSecrets(common, store, settings);
  const { sealer } = secrets;
  const control = createControl({ common, live: settings, temporal, store, report, sealer, logger });
  const { connections, router } = control;
  const progress = createProgress({ hostOf: (connection) => router.host(connection), every: 10_000 });
  live.subscribe((event) => event.type === 'queue' && progress(event.data));
  const worker = await createControlWorker({ temporal, bundle, activities: control.activities });
  const ingest = startIngest({ store, connections, router, logger });
  const streams = listenToStreams({ connections, take: ingest.take, logger });
  const inUse = createInUse({
    ...{ store, storage: common.paths.storage, keep: () => settings.settings().retention.builds },
    open: () => openPayloads(temporal.client),
  });
  const problems = async () => (await control.layout()).problems;
  const telling = keepTellingOf(settings, { logger, publish: live.publish, problems });
  const app = await createServerApp({
    ...{ common, temporal, store, token, logger, live, settings, capacity },
    ...{ secrets, control, worker, ingest, streams, inUse, telling },
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

/** @throws where the configuration cannot be served by this process, with what to change */
async function requireUsable(config: StackConfig): Promise<void> {
  await requireTestSecret(config);
  await requireProvisioning(config);
  requireOtherNames(config);
  requireOwnArchitecture(config);
}

async function openAll({ config, paths }: Common) {
  for (const path of [paths.storage, paths.repositories, paths.released]) await makeOpenDirectory(path);
  await mkdir(paths.git, { recursive: true });
  const [temporal, bundle, store, token] = await Promise.all([
    connectPatiently(config, payloadStore(dataPaths(config.data))),
    bundleWorkflows(),
    openStore(paths.store, config.tenant),
    readOrCreateToken(config.data),
  ]);
  return { temporal, bundle, store, token };
}

/** What Temporal does by itself, for this tenant and this host. */
async function scheduleAll(temporal: TemporalConnection, config: StackConfig): Promise<void> {
  const { client } = temporal;
  await registerSearchAttributes(temporal);
  for (const name of Object.keys(config.connections)) await scheduleReviewSync(client, name);
  await startTimers(client, config.tenant);
  await scheduleSweep(client, config.tenant);
  const platforms = allPlatforms(config).flatMap((platform) => (isVirtual(platform) ? [platform.name] : []));
  await scheduleSnapshots({ client, host: hostname(), platforms }, config.snapshots.prepareAt);
}

/** The settings that may change while the server runs, and what hears of them: the schedules, and who lends machines. */
async function followSettings({ live, config, findPlatform }: Common, { client }: TemporalConnection, logger: Logger) {
  const schedule = (every: number) => scheduleMirrorRetention(client, config.tenant, every);
  const capacity = capacityIn(live, config.data, findPlatform);
  const tell = () => tellCapacity(client, capacity);
  const settings = keepTold(keepScheduled(live, schedule, logger), tell, logger);
  await schedule(settings.settings().retention.mirrors);
  await tell();
  return { settings, capacity, toldOfHosts: keepToldOfHosts({ capacity, tell, logger }) };
}
