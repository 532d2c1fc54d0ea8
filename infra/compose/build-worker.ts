import { hostname } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { testRepositoriesIn } from '../../activities/attest/attestor.ts';
import { hostArch } from '../../activities/host-arch.ts';
import { isOpen } from '../../activities/jobs/open.ts';
import { withinLines } from '../../activities/jobs/within-lines.ts';
import { createReadyActivities } from '../../activities/nodes/ready.ts';
import { openGiven, vmDirectory } from '../../activities/nodes/registry.ts';
import { hostsWithState } from '../../activities/nodes/vm/hosts/states.ts';
import { placesIn } from '../../activities/nodes/vm/records.ts';
import { createSnapshotActivities, type SnapshotDeps, staleIn } from '../../activities/nodes/vm/snapshot-activities.ts';
import type { SnapshotLimits } from '../../activities/nodes/vm/snapshots.ts';
import { closeAgent } from '../../activities/sign/key.ts';
import { createStageActivities, type StageActivities, type StageDeps } from '../../activities/stages.ts';
import { startPreparation } from '../../server/machines.ts';
import { createHandStage, type HandStageDeps } from '../by-hand/hand-stage.ts';
import { asSeenFromHere, reachBy } from '../common/addressed.ts';
import { createCommon, releasedOffer } from '../common/common.ts';
import { containerUrl } from '../common/listen.ts';
import { createLiveConfig, type LiveConfig } from '../common/live-config.ts';
import { createLogger, logTemporal } from '../common/logging.ts';
import { type Reach, reachedFrom } from '../common/machines.ts';
import { askForModules, askForObjects } from '../common/modules.ts';
import { stagesOf } from '../common/stages.ts';
import { farHosts, hostStates } from '../common/vm-hosts.ts';
import { allPlatforms } from '../config/platforms.ts';
import { vmImages } from '../images/vm/images.ts';
import { installationOf } from '../stack/installation.ts';
import type { Part } from '../stack/part.ts';
import { dataPaths } from '../stack/paths.ts';
import { untilListening } from '../stack/ports.ts';
import { readStackConfig, type StackConfig } from '../stack/settings.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { createHostWorker, createJobWorkers } from '../temporal/worker.ts';
import { connectPatiently, patience } from './connect.ts';
import { emulatedHere } from './foreign.ts';
import { asSeenFromAfar, givenContext } from './given-machines.ts';
import { keepEmulated } from './keep-emulated.ts';
import { keepHosts } from './keep-hosts.ts';
import { keepPrepared } from './keep-prepared.ts';
import { keepSweeping } from './leftovers.ts';
import { keepMending } from './mending.ts';
import { payloadStore } from './payload-store.ts';
import { prepareMachines } from './prepare-machines.ts';
import { provisioningBy } from './provisioning.ts';
import { removeReady } from './ready.ts';
import { askForSecrets } from './secrets.ts';
import { type HostWorkerDeps, leaveFarHost, startFarHost } from './vm-host-worker.ts';
import { workerPart } from './worker-part.ts';

/**
 * Milliseconds to wait for the server before jobs begin: what starts beside it, with jobs that a stop has interrupted, would
 * find no repository there, and lose a try. By hand it may be started where no server ever listens.
 */
const serverPatience = () => (readStackConfig() === undefined ? 20_000 : patience);

/**
 * The worker that runs jobs: builds, checks and tests in containers on this machine.
 *
 * @param told says that this process is told to end: it begins with no jobs then
 */
export async function startBuildWorker(config: StackConfig, told: AbortSignal): Promise<Part> {
  const logger = createLogger('build-worker');
  logTemporal(logger);
  const common = createCommon(config, askForModules(config));
  const { blobs, git: sources, logs, paths, platform, trees } = common;
  const temporal = await connectPatiently(config, payloadStore(paths));
  const ours = async () => `${await containerUrl(config)}/repositories/test/`;
  const offer = releasedOffer(common);
  const parts = {
    ...{ data: config.data, blobs, logs, sources, trees, platform, ...offer },
    repositories: { look: testRepositoriesIn(join(paths.repositories, 'test')), url: ours },
    objects: askForObjects(config),
    openSecrets: askForSecrets(common),
    reach: reachBy(config.server.url, () => containerUrl(config)),
    virtual: {
      reached: () => reachedFrom({ ...reachIn(config), server: () => containerUrl(config) }),
      kept: limitsOf(config),
      prepare: prepareMachines(temporal.client),
    },
    given: givenContext(config),
  };
  const stages = withHand(stagesOf(parts), {
    ...{ store: blobs, data: config.data, platforms: allPlatforms(config), reach: parts.reach },
    mirrors: config.nodes.vm.mirrors,
  });
  const seen = asSeenFromHere(createStageActivities(stages), { trees, base: ours });
  const stage = withinLines(seen, offer.release);
  const ready = createReadyActivities({ provider: stages.provider, platforms: allPlatforms(config) });
  // Opened where what is wrong with it is told, and tried again.
  const live = once(() => createLiveConfig(config));
  const lends = () => live().settings().nodes.vm.maxServers > 0;
  const provisioning = provisioningBy(stages, parts.virtual, platform);
  const snapshots: SnapshotDeps = { ...snapshotsOf(config), provisioning, lends };
  const activities = Object.assign(stage, createSnapshotActivities(snapshots), ready);
  const slots = config.workers.build;
  const { host, port } = config.server.listen;
  await untilListening(host, port, { patience: serverPatience(), signal: told });
  if (told.aborted) return workerPart([], () => temporal.close());
  const part = await runJobs({ temporal, stages, activities, slots, data: config.data, logger });
  const { client } = temporal;
  const emulated = keepEmulated({
    emulated: () => emulatedHere(config),
    start: async (arch) => workerPart(await createJobWorkers({ temporal, activities, arch, slots })),
    logger,
  });
  const prepared = keepPrepared({
    stale: () => staleIn(snapshots),
    prepare: (platform) => startPreparation(client, { host: hostname(), platform, missing: true }),
    logger,
  });
  const all = mendingBeside(part, config, logger);
  const hosts = hostsOf(config, { temporal, parts, logger }, live);
  const stop = async () => {
    await Promise.all([prepared.stop(), hosts.stop(), emulated.stop()]);
    await all.stop();
  };
  return { ...all, stop };
}

/** The same, and what people ask a server for by hand. */
export function withHand(deps: StageDeps, hand: Omit<HandStageDeps, 'holder'>): StageDeps {
  const holder = () => Context.current().info.workflowExecution?.workflowId;
  return { ...deps, stages: { ...deps.stages, hand: createHandStage({ ...hand, holder }) } };
}

/** Looks after the static machines for as long as the worker runs. */
function mendingBeside(part: Part, config: StackConfig, logger: Logger): Part {
  const given = givenContext(config);
  if (given.machines.length === 0) return part;
  const mending = keepMending(openGiven({ installation: installationOf(config.data), given }), logger);
  const stop = () => {
    mending.stop();
    return part.stop();
  };
  return { ...part, stop };
}

function reachIn(config: StackConfig): Omit<Reach, 'server'> {
  return { platforms: allPlatforms(config), mirrors: config.nodes.vm.mirrors };
}

/** Keeps a worker for each host of virtual machines, as the configuration has them while it runs. */
function hostsOf(
  config: StackConfig,
  { temporal, parts, logger }: Pick<HostWorkerDeps, 'temporal' | 'parts' | 'logger'>,
  live: () => LiveConfig,
) {
  const reach = reachIn(config);
  const urlThere = asSeenFromAfar(config.server.url);
  const server = urlThere === undefined ? () => containerUrl(config) : async () => config.server.url;
  const virtual = { ...parts.virtual, reached: () => reachedFrom({ ...reach, server }), urlThere };
  const deps: HostWorkerDeps = {
    ...{ temporal, parts: { ...parts, virtual }, platforms: reach.platforms, logger, limits: limitsOf(config) },
    prepareAt: config.snapshots.prepareAt,
    drains: (host) => live().settings().nodes.vm.hosts[host]?.drain === true,
    isOpen: (workflow) => isOpen(temporal.client, workflow),
  };
  const installation = installationOf(config.data).id;
  return keepHosts({
    wanted: () => farHosts(live().latest().nodes.vm.hosts, installation),
    known: () => hostsWithState(hostStates(config.data)),
    start: (host) => startFarHost(deps, host),
    leave: (name) => leaveFarHost(deps, name),
    logger,
  });
}

/** Makes it when it is asked for, again where that has failed. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function limitsOf({ snapshots: { keep, maxSize } }: StackConfig): SnapshotLimits {
  return { age: keep * 1000, bytes: maxSize };
}

/** What this machine's worker does about its saved machines. */
function snapshotsOf(config: StackConfig): Omit<SnapshotDeps, 'provisioning'> {
  const directory = vmDirectory(config.data);
  const platforms = allPlatforms(config);
  return {
    lender: { places: placesIn(directory), installation: installationOf(config.data).id, ways: [] },
    platforms,
    ...vmImages(directory, platforms),
    failures: join(directory, 'failures'),
    limits: limitsOf(config),
  };
}

/** What runs jobs, and for whom. */
export interface JobsPart {
  readonly temporal: TemporalConnection;
  readonly stages: Pick<StageDeps, 'provider'>;
  readonly activities: StageActivities;
  /** How many jobs with nodes run at once. */
  readonly slots: number;
  /** Directory of what is the worker's own. */
  readonly data: string;
  /** What Temporal calls the worker; absent: process and machine. */
  readonly identity?: string;
  readonly logger: Logger;
}

/** Takes the jobs of this machine's architecture, and what must be done on this very machine. */
export async function runJobs({ temporal, stages, activities, slots, data, ...rest }: JobsPart): Promise<Part> {
  const { identity, logger } = rest;
  const deps = { temporal, activities, ...(identity === undefined ? {} : { identity }) };
  const workers = [
    await createHostWorker({ ...deps, host: hostname() }),
    ...(await createJobWorkers({ ...deps, arch: hostArch(), slots })),
  ];
  const { provider } = stages;
  const sweeping = keepSweeping({ provider, isOpen: (workflow) => isOpen(temporal.client, workflow), logger });
  return workerPart(workers, async () => {
    await sweeping.stop();
    await removeReady(temporal.client, provider, logger);
    await closeAgent(dataPaths(data).testKeys);
    await temporal.close();
  });
}
