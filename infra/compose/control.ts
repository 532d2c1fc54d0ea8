import type { Logger } from 'pino';
import { createGateActivities } from '../../activities/gate/gate-activities.ts';
import { adoptBy } from '../../activities/jobs/adopt.ts';
import { createJobActivities } from '../../activities/jobs/jobs.ts';
import { createNodesActivities } from '../../activities/jobs/nodes.ts';
import { createRetirement } from '../../activities/jobs/retire.ts';
import { createReuse } from '../../activities/jobs/reuse.ts';
import { createSemaphoreActivities } from '../../activities/jobs/semaphores.ts';
import { type UnreleasedDeps, unreleased } from '../../activities/jobs/unreleased.ts';
import { createLayouts, type Layouts } from '../../activities/layout/layouts.ts';
import { createPrepare } from '../../activities/layout/prepare.ts';
import { createTimerActivities, timersIn } from '../../activities/layout/timers.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import { hasTestRepository, removeTestRepository } from '../../activities/repository/publish-stage.ts';
import { joinPeople, type People } from '../../activities/review/people.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { openConnection } from '../../activities/review/registry.ts';
import { readSecret } from '../../activities/review/secret.ts';
import type { Sealer } from '../../activities/secrets/port.ts';
import { createSweep } from '../../activities/sweep/sweep.ts';
import { layoutPipelines, semaphores } from '../../pipelines/language/language.ts';
import { createConflictOf } from '../../server/events/conflict.ts';
import { createGateClient } from '../../server/events/gate-client.ts';
import { EventRouter } from '../../server/events/router.ts';
import { createOperations } from '../../server/operations.ts';
import type { Changes, EnqueueRequest } from '../../server/port.ts';
import type { BeginJob } from '../../workflows/activities.ts';
import { hostArch } from '../stack/arch.ts';
import type { Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { readInput } from '../temporal/read-payload.ts';
import type { Common } from './common.ts';
import type { LiveConfig } from './live-config.ts';
import { createMirrors } from './mirrors.ts';
import { capacityIn, nodesIn } from './nodes.ts';
import { createReleases } from './releases.ts';

export interface ControlDeps {
  readonly common: Common;
  readonly live: LiveConfig;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  readonly report: ReportActivities;
  readonly sealer: Sealer;
  readonly logger: Logger;
}

/** What the server process does besides answering: the control worker's activities, and what people ask for. */
export function createControl(deps: ControlDeps) {
  const { common, live, temporal, store, report, sealer } = deps;
  const { blobs } = common;
  const review = createReview(deps);
  const { router, layouts } = review;
  const limits = async () => semaphores(await layouts.current());
  const sweeper = createSweep({
    ...{ client: temporal.client, report, running: () => store.listRunning() },
    warn: (about, message) => deps.logger.warn(about, message),
  });
  const activities = {
    ...report,
    ...createJobActivities({
      ...{ blobs, adopt: adoptBy(temporal.client), latestAttempt: latestAttemptIn(store) },
      ...{ archOf: archIn(common), defaultArch: hostArch() },
      unreleased: unreleasedIn(deps, router),
      isThere: isThereIn(common),
      released: common.released,
      reuse: reuseIn(deps, layouts),
      nodesFor: nodesIn(common, live),
      ...{ saveBuild: report.recordBuild, saveBuildSet: report.recordBuildSet },
    }),
    ...createSemaphoreActivities({ client: temporal.client, limits }),
    ...createNodesActivities({ client: temporal.client, capacity: capacityIn(live) }),
    ...createGateActivities({
      blobs,
      host: (connection) => router.host(connection),
      look: async (connection, change) => void (await router.look(connection, change)),
      pass: (action) => router.pass(action),
    }),
    sweep: sweeper.sweep,
    ...createTimerActivities({
      timers: async () => timersIn(await layouts.current()),
      fire: (tick) => router.tick(tick),
    }),
    ...createReleases({ common, live, temporal, store, merged: review.merged }),
    retireTestRepositories: review.retire,
    ...createMirrors({ common, live, report, logger: deps.logger }),
    prepare: createPrepare({ layouts, git: common.git, blobs, sealer }),
    syncReviews: async ({ connection }: { readonly connection: string }) => ({
      events: await router.lookAtAll(connection),
    }),
  };
  const enqueue = (what: EnqueueRequest) =>
    'change' in what ? router.enqueue(what.pipeline, what.change) : router.enqueueBranch(what.pipeline, what);
  const operations = createOperations({
    ...{ client: temporal.client, gates: review.gates, store },
    inputOf: (workflow) => readInput(temporal.client, workflow),
    ...{ enqueue, mend: sweeper.mend },
  });
  const { changes, connections } = review;
  const layout = () => layouts.current();
  const pipelines = async () =>
    layoutPipelines(await layouts.current()).map(({ name, description = '' }) => ({ name, description }));
  return { activities, operations, changes, router, connections, layout, pipelines };
}

/** The review systems, and the way from what happens there to the gates. */
function createReview({ common, live, temporal, store, logger }: ControlDeps) {
  const { config, paths } = common;
  const connections = Object.fromEntries(
    Object.entries(config.connections).map(([name, { driver }]) => [name, driver]),
  );
  const { projects } = live;
  const layouts = createLayouts({
    tenant: config.tenant,
    projects,
    git: common.git,
    connections,
    reviews: config.connections,
  });
  const opened = Object.entries(config.connections).map(([name, settings]) => {
    const owns = (project: string) => projects().some((one) => one.name === project && one.connection === name);
    const place = { name, repositories: paths.git, page: config.server.url, owns };
    const connection = openConnection({ ...place, settings, readSecret, git: common.git });
    common.remotes.set(name, (project) => connection.host.gitRemote(project));
    return { name, driver: settings.driver, ...connection };
  });
  const gates = createGateClient(temporal.client);
  const hosts = opened.map(({ host }) => host);
  const held = async () => (await store.listQueues()).flatMap(({ items }) => items.flatMap(({ changes }) => changes));
  const router = new EventRouter({
    tenant: config.tenant,
    layouts,
    hosts,
    gates,
    ledger: store,
    blobs: common.blobs,
    held,
    conflictOf: createConflictOf(common.git, (name) => connections[name] === 'git'),
  });
  const people = joinPeople(
    opened.flatMap(({ people: own, ...each }) => (own === null ? [] : [{ ...each, people: own }])),
  );
  const retire = retirementIn(common, store, router);
  const tidy = () => void retire(null).catch((error) => logger.warn({ error }, 'cannot remove test repositories'));
  const merged: ReviewHost['readMerged'] = async (of) => {
    const connection = projects().find(({ name }) => name === of.project)?.connection;
    const host = connection === undefined ? undefined : router.host(connection);
    return host === undefined ? null : host.readMerged(of);
  };
  return { router, layouts, gates, retire, merged, connections: opened, changes: watched(people, router, tidy) };
}

/** What people do is seen by the gates before they get their answer. */
function watched(people: People, router: EventRouter, tidy: () => void): Changes {
  const look = async (name: string) => {
    const { connection, id } = await people.read(name);
    await router.look(connection, id);
  };
  return {
    list: (filter) => people.list(filter),
    read: (change) => people.read(change),
    history: (change) => people.history(change),
    vote: async (actor, change, vote) => people.vote(actor, change, vote).then(() => look(change)),
    comment: async (actor, change, text) => people.comment(actor, change, text).then(() => look(change)),
    async abandon(actor, change) {
      await people.abandon(actor, change);
      await look(change);
      tidy();
    },
    restore: async (actor, change) => people.restore(actor, change).then(() => look(change)),
  };
}

/** Machine names differ between formats; one queue serves both. */
const debianNames: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

function archIn({ findPlatform }: Common) {
  return (label: string): string | undefined => {
    const arch = findPlatform(label)?.arch;
    return arch === undefined ? undefined : (debianNames[arch] ?? arch);
  };
}

function isThereIn({ trees }: Common) {
  return (url: string) => hasTestRepository(trees, url);
}

/** What builds may take over: without a configuration that can be read, nothing. */
function reuseIn({ common, store, logger }: ControlDeps, layouts: Layouts) {
  const find = createReuse({
    builds: (change) => store.listBuilds({ change, limit: 200 }),
    isThere: isThereIn(common),
    reuses: async (name) =>
      layoutPipelines(await layouts.current()).find((one) => one.name === name)?.reuse === 'builds',
  });
  return (input: BeginJob) =>
    find(input).catch((error) => {
      logger.warn({ error }, 'cannot tell what a build may take over');
      return undefined;
    });
}

/** Enough for all that a day merges between two releases. */
const recent = 50;

function unreleasedIn({ common, store, logger }: ControlDeps, router: EventRouter) {
  const find: UnreleasedDeps = {
    succeeded: () => store.listBuildSets({ result: 'SUCCESS', limit: recent }),
    releases: () => store.listReleases(recent * 4),
    buildsOf: ({ change, pipeline }) => store.listBuilds({ change, pipeline, limit: 200 }),
    isMerged: async (change) => (await router.read(change))?.status === 'merged',
    isThere: isThereIn(common),
    warn: (about) => logger.warn(about, 'cannot tell what a merged change offers'),
  };
  return async (label: string) => {
    const platform = common.findPlatform(label);
    return platform ? unreleased(find, { format: platform.format, now: Date.now() }) : [];
  };
}

function retirementIn({ trees }: Common, store: Store, router: EventRouter) {
  return createRetirement({
    buildSets: () => store.listBuildSets({ limit: recent * 4 }),
    releases: () => store.listReleases(recent * 4),
    buildsOf: (change) => store.listBuilds({ change, result: 'SUCCESS', limit: 500 }),
    statusOf: async (change) => (await router.read(change))?.status,
    remove: (url) => removeTestRepository(trees, url),
  });
}

function latestAttemptIn(store: Store) {
  return async ({ job: { pipeline, change, patchset, buildSet, job } }: BeginJob): Promise<number> => {
    const builds = await store.listBuilds({ pipeline, change, job: job.name, buildSet, limit: 100 });
    return Math.max(0, ...builds.filter((build) => build.patchset === patchset).map(({ attempt }) => attempt));
  };
}
