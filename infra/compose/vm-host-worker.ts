import { join } from 'node:path';
import type { Logger } from 'pino';
import { withinLines } from '../../activities/jobs/within-lines.ts';
import { sweepLeftovers } from '../../activities/nodes/leftovers.ts';
import { createReadyActivities } from '../../activities/nodes/ready.ts';
import { openProvider, type VirtualContext, vmDirectory } from '../../activities/nodes/registry.ts';
import { openSshHost } from '../../activities/nodes/vm/hosts/ssh/host.ts';
import { readHostState, removeHostState, writeHostState } from '../../activities/nodes/vm/hosts/states.ts';
import { type Places, placesIn } from '../../activities/nodes/vm/records.ts';
import { createSnapshotActivities, staleIn } from '../../activities/nodes/vm/snapshot-activities.ts';
import type { SnapshotLimits } from '../../activities/nodes/vm/snapshots.ts';
import { createStageActivities } from '../../activities/stages.ts';
import { isVirtual, type Platform } from '../../pipelines/model/platform.ts';
import { startPreparation } from '../../server/machines.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { asSeenFromHere } from '../common/addressed.ts';
import { type StageParts, stagesOf } from '../common/stages.ts';
import { type FarHost, hostStates } from '../common/vm-hosts.ts';
import { imagesOnHost } from '../images/vm/bring.ts';
import { vmImages } from '../images/vm/images.ts';
import { installationOf } from '../stack/installation.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { runWorker } from '../temporal/run-worker.ts';
import { scheduleSnapshots } from '../temporal/snapshot-schedules.ts';
import { createHostWorker } from '../temporal/worker.ts';
import { keepPrepared } from './keep-prepared.ts';
import { keepSweeping } from './leftovers.ts';
import { type Asked, pollersOf } from './pollers.ts';
import { prepareMachines } from './prepare-machines.ts';
import { provisioningBy } from './provisioning.ts';
import { removeReadyIn } from './ready.ts';
import { watchHost } from './watch-host.ts';
import { isApart } from './workers-desk.ts';

/** What the workers of all hosts have alike. */
export interface HostWorkerDeps {
  readonly temporal: TemporalConnection;
  readonly parts: StageParts & { readonly virtual: VirtualContext };
  readonly platforms: readonly Platform[];
  readonly limits: SnapshotLimits;
  /** When machines are prepared anew: `HH:MM`, in UTC. */
  readonly prepareAt: string;
  /** Whether a host is being drained now: none are prepared there that nobody waits for. */
  readonly drains: (host: string) => boolean;
  /** Whether a workflow runs still. */
  readonly isOpen: (workflow: string) => Promise<boolean>;
  readonly logger: Logger;
}

/** The worker of a host elsewhere: it runs here, and takes what is to be done there. */
export interface FarHostWorker {
  /** Whether a machine of this installation is there. @throws where the host does not say so */
  isUsed(): Promise<boolean>;
  /** Ends when it takes nothing any more, of itself or because it was stopped; fails when it cannot go on. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the worker of a host. It takes jobs from when the host answers, and nothing of ended ones is left there. Where
 * that fails nothing runs; what is there for the nights goes with `leaveFarHost`.
 *
 * @throws where a worker on another machine takes what is to be done there
 */
export async function startFarHost(deps: HostWorkerDeps, settings: FarHost): Promise<FarHostWorker> {
  const { temporal, parts, isOpen, logger, platforms } = deps;
  const { name } = settings;
  const states = hostStates(parts.data);
  const stopped = (why: string) => writeHostState(states, name, { state: 'stopped', since: Date.now(), why });
  // By this it is known, and can be left, whatever comes of the rest; nothing is lent there before it answers.
  if ((await readHostState(states, name).catch(() => null))?.state !== 'stopped') await stopped('');
  const taker = await takenBy(temporal.client, name);
  await stopped(taker ?? '');
  if (taker !== null) throw new Error(taker);
  const own = openSshHost(settings);
  const watch = watchHost(own, states, logger);
  const places = placesIn(settings.directory, watch.host);
  const virtual = { ...parts.virtual, places, prepare: prepareMachines(temporal.client, name) };
  const stages = stagesOf({ ...parts, virtual, host: name });
  const provisioning = provisioningBy(stages, virtual, parts.platform);
  const snapshots = { ...snapshotsOn(deps, places, settings.directory), provisioning };
  const machines = openProvider('vm', { installation: installationOf(parts.data), virtual });
  const ready = createReadyActivities({ provider: machines, platforms });
  const activities = Object.assign(stagesSeen(parts, stages), createSnapshotActivities(snapshots), ready);
  await tendAtNight(deps, name, platforms);
  const worker = await createHostWorker({ temporal, activities, host: name });
  const ended = runWorker(worker);
  const over = ended.catch(() => {});
  watch.begin(() => sweepLeftovers(machines, isOpen));
  const sweeping = keepSweeping({ provider: machines, isOpen, logger });
  const prepare = (platform: string) => startPreparation(temporal.client, { host: name, platform, missing: true });
  const prepared = keepPrepared({ stale: () => staleIn(snapshots), prepare, logger });
  logger.info({ host: name }, 'virtual machines are lent on a host');
  return {
    isUsed: async () => (await machines.list()).length > 0,
    ended,
    async stop() {
      await watch.stop();
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await Promise.all([prepared.stop(), sweeping.stop(), over, removeReadyIn(machines, logger)]);
      own.close();
    },
  };
}

/** Why what is to be done on a host would go elsewhere: a worker was started before the host was named like its machine. */
export async function takenBy(client: Asked, host: string): Promise<string | null> {
  const [other] = (await pollersOf(client, taskQueues.host(host))).filter(isApart);
  if (other === undefined) return null;
  return `its name is that of the machine of ${other}, which takes its work: name it otherwise, or end that worker`;
}

/** Has nothing done on a host at night any more, and forgets it; its worker has stopped, or was never there. */
export async function leaveFarHost(deps: HostWorkerDeps, name: string): Promise<void> {
  await tendAtNight(deps, name, []);
  await removeHostState(hostStates(deps.parts.data), name);
}

async function tendAtNight({ temporal, prepareAt }: HostWorkerDeps, host: string, platforms: readonly Platform[]) {
  const names = platforms.filter(isVirtual).map(({ name }) => name);
  await scheduleSnapshots({ client: temporal.client, host, platforms: names }, prepareAt);
}

function stagesSeen(parts: StageParts, stages: Parameters<typeof createStageActivities>[0]) {
  const seen = asSeenFromHere(createStageActivities(stages), { trees: parts.trees, base: parts.repositories.url });
  return withinLines(seen, parts.release);
}

function snapshotsOn({ parts, platforms, limits, drains }: HostWorkerDeps, places: Places, directory: string) {
  const here = vmDirectory(parts.data);
  const { host } = places;
  return {
    lender: { places, installation: installationOf(parts.data).id, ways: [], urlThere: parts.virtual.urlThere },
    platforms,
    ...imagesOnHost({ images: vmImages(here, platforms), platforms, host, directory }),
    limits,
    lends: () => !drains(host.name),
    failures: join(here, 'failures', host.name),
  };
}
