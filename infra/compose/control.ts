import { createGateActivities, type Findings } from '../../activities/gate/gate-activities.ts';
import { hostArch } from '../../activities/host-arch.ts';
import { adoptBy } from '../../activities/jobs/adopt.ts';
import { askGateBy } from '../../activities/jobs/ask-gate.ts';
import { createJobActivities } from '../../activities/jobs/jobs.ts';
import { createNodesActivities } from '../../activities/jobs/nodes.ts';
import { createOriginActivities } from '../../activities/jobs/origin.ts';
import { createRetirement } from '../../activities/jobs/retire.ts';
import { createReuse } from '../../activities/jobs/reuse.ts';
import { createSemaphoreActivities } from '../../activities/jobs/semaphores.ts';
import { type UnreleasedDeps, unreleased } from '../../activities/jobs/unreleased.ts';
import type { Layouts } from '../../activities/layout/layouts.ts';
import { createPrepare } from '../../activities/layout/prepare.ts';
import { createTimerActivities, timersIn } from '../../activities/layout/timers.ts';
import { hasTestRepository, removeTestRepository } from '../../activities/publish/publish-stage.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import type { Sealer } from '../../activities/secrets/port.ts';
import { createSweep } from '../../activities/sweep/sweep.ts';
import { layoutPipelines, semaphores } from '../../pipelines/language/language.ts';
import { debianName } from '../../pipelines/model/architecture.ts';
import { repositoriesIn } from '../../pipelines/model/release-line.ts';
import { ownMarks } from '../../server/events/host-facts.ts';
import type { EventRouter } from '../../server/events/router.ts';
import { takenOutMarks, tellTakenOut } from '../../server/events/taken-out.ts';
import { createOperations } from '../../server/operations.ts';
import type { BeginJob } from '../../workflows/activities.ts';
import type { Common } from '../common/common.ts';
import { releaseRules } from '../config/release-rules.ts';
import type { Store } from '../store/store.ts';
import { readInput } from '../temporal/read-payload.ts';
import { isServedIn, whyUnservedIn } from './foreign.ts';
import { takesUnreviewed } from './given-machines.ts';
import { lookAfterMerge } from './look-after-merge.ts';
import { createMirrors } from './mirrors.ts';
import { capacityIn, nodesIn, placeIn } from './nodes.ts';
import { createReleases } from './releases.ts';
import { createReviews, type ReviewsDeps, watched } from './reviews.ts';
import { testTaskActivities } from './test-service.ts';

export interface ControlDeps extends ReviewsDeps {
  readonly report: ReportActivities;
  readonly sealer: Sealer;
}

type Reviews = ReturnType<typeof createReviews>;

/** What the server process does besides answering: the control worker's activities, and what people ask for. */
export function createControl(deps: ControlDeps) {
  const { common, live, temporal, store, report, logger } = deps;
  const { client } = temporal;
  const reviews = createReviews(deps);
  const { router, layouts, people, connections } = reviews;
  const layout = () => layouts.current();
  const retire = retirementIn(common, store, router);
  const tidy = () => void retire(null).catch((error) => logger.warn({ error }, 'cannot remove test repositories'));
  const sweeper = createSweep({
    ...{ client, report, running: () => store.listRunning() },
    warn: (about, message) => logger.warn(about, message),
  });
  const releases = createReleases({ common, live, temporal, store, report, merged: reviews.merged });
  const activities = {
    ...report,
    ...jobActivities(deps, reviews),
    ...deskActivities(deps, reviews),
    ...gateActivities(deps, reviews),
    sweep: sweepBy(deps, sweeper),
    ...createTimerActivities({
      timers: async () => timersIn(await layout()),
      fire: (tick) => router.tick(tick),
    }),
    ...releases.activities,
    retireTestRepositories: retire,
    ...createMirrors({ common, live, report, logger }),
    ...testTaskActivities(common),
    syncReviews: syncBy(reviews),
  };
  const pipelines = async () =>
    layoutPipelines(await layout()).map(({ name, description = '' }) => ({ name, description }));
  const { plans, giveMetadata, pendingSteps } = releases;
  return {
    ...{ activities, operations: operationsIn(deps, reviews, { mend: sweeper.mend, pipelines }) },
    ...{ router, connections, changes: watched(people, router, tidy), absent: reviews.renewal.absent },
    ...{ layout, pipelines },
    ...{ plans, giveMetadata, pendingSteps },
  };
}

/** What jobs and build sets ask as they begin. */
function jobActivities(deps: ControlDeps, { router, layouts }: Reviews) {
  const { common, live, temporal, store, report } = deps;
  return createJobActivities({
    ...{ blobs: common.blobs, adopt: adoptBy(temporal.client), latestAttempt: latestAttemptIn(store) },
    ...{ archOf: archIn(common), defaultArch: hostArch(), whyUnserved: unservedIn(deps) },
    isServed: isServedIn(common.config, temporal.client),
    unreleased: unreleasedIn(deps, router),
    isThere: isThereIn(common),
    released: common.released,
    repositories: repositoriesIn(releaseRules(common.config)),
    reuse: reuseIn(deps, layouts),
    nodesFor: nodesIn(common, live),
    placeOf: placeIn({
      ...{ ...common, takesUnreviewed: takesUnreviewed(common.config.nodes) },
      labels: () => live.settings().nodes.labels,
    }),
    ...{ saveBuild: report.recordBuild, saveBuildSet: report.recordBuildSet },
  });
}

/** The ways from jobs to the entities that they ask. */
function deskActivities({ common, live, temporal: { client } }: ControlDeps, { layouts }: Reviews) {
  return {
    askGate: askGateBy(client),
    ...createSemaphoreActivities({ client, limits: async () => semaphores(await layouts.current()) }),
    ...createOriginActivities(client),
    ...createNodesActivities({ client, capacity: capacityIn(live, common.config.data, common.findPlatform) }),
  };
}

/** What gates have done. */
function gateActivities({ common, store, sealer }: ControlDeps, { router, layouts, connections }: Reviews) {
  const { blobs, git } = common;
  return {
    ...createGateActivities({
      blobs,
      host: (connection) => router.host(connection),
      own: async (connection) => ownMarks(await layouts.current(), connection),
      comments: commentsIn(store),
      look: lookAfterMerge(router, connections),
      pass: (action) => router.pass(action),
    }),
    prepare: createPrepare({ layouts, git, blobs, sealer }),
  };
}

/** Mends what was left behind, forgets what is in the audit log for too long, and makes room for new rows. */
function sweepBy({ live, store }: ControlDeps, sweeper: ReturnType<typeof createSweep>) {
  return async (input: { readonly tenant: string }) => {
    const swept = await sweeper.sweep(input);
    const { audit } = live.settings().retention;
    if (audit > 0) await store.acts.forget(Date.now() - audit * 1000);
    await store.vacuum();
    return swept;
  };
}

/** Milliseconds for one look at all changes of a connection: it ends by itself before its activity's time is over. */
const syncPatience = 110_000;

function syncBy({ router, renewal, lookAtRefs }: Reviews) {
  return async ({ connection }: { readonly connection: string }) => {
    renewal.renew(connection);
    try {
      return { events: await router.lookAtAll(connection, AbortSignal.timeout(syncPatience)) };
    } finally {
      // Afterwards: what changes tell of branches is not looked for.
      lookAtRefs(connection);
    }
  };
}

interface Asked extends Pick<ReturnType<typeof createSweep>, 'mend'> {
  readonly pipelines: () => Promise<readonly { readonly name: string }[]>;
}

function operationsIn({ temporal: { client }, store }: ControlDeps, { router, gates }: Reviews, asked: Asked) {
  return createOperations({
    ...{ client, gates, store, mend: asked.mend },
    inputOf: (workflow) => readInput(client, workflow),
    enqueue: (what) =>
      'change' in what ? router.enqueue(what.pipeline, what.change) : router.enqueueBranch(what.pipeline, what),
    pipelines: async () => (await asked.pipelines()).map(({ name }) => name),
    tellTakenOut: async (what) => {
      await takenOutMarks(store).note({ pipeline: what.pipeline, key: `${what.change},${what.patchset}` });
      await tellTakenOut((connection) => router.host(connection), what);
    },
  });
}

function unservedIn({ common, store, temporal }: ControlDeps) {
  const running = () => store.listBuilds({ running: true, limit: 1_000 });
  return whyUnservedIn({ ...common, running }, temporal.client);
}

/** Machine names differ between formats; one queue serves both. */
function archIn({ findPlatform }: Common) {
  return (label: string): string | undefined => {
    const arch = findPlatform(label)?.arch;
    return arch === undefined ? undefined : debianName(arch);
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
    releases: () => store.listReleases({ limit: recent * 4 }),
    waiting: async () => (await store.plans.candidates()).filter(({ state }) => state === 'waiting'),
    succeededOf: (change) => store.listBuildSets({ change, result: 'SUCCESS', limit: 20 }),
    buildsOf: ({ change, pipeline }) => store.listBuilds({ change, pipeline, limit: 200 }),
    isMerged: async (change) => (await router.read(change))?.status === 'merged',
    isThere: isThereIn(common),
    rules: releaseRules(common.config),
    warn: (about) => logger.warn(about, 'cannot tell what a merged change offers'),
  };
  return async ({ label, branch }: { readonly label: string; readonly branch: string }) => {
    const format = common.findPlatform(label)?.format;
    const job = { platform: label, branch };
    return format === undefined ? [] : unreleased(find, { job: { ...job, format }, now: Date.now() });
  };
}

function retirementIn({ config, trees }: Common, store: Store, router: EventRouter) {
  return createRetirement({
    rules: releaseRules(config),
    buildSets: () => store.listBuildSets({ limit: recent * 4 }),
    releases: () => store.listReleases({ limit: recent * 4 }),
    buildsOf: (change) => store.listBuilds({ change, result: 'SUCCESS', limit: 500 }),
    statusOf: async (change) => (await router.read(change))?.status,
    remove: (url) => removeTestRepository(trees, url),
  });
}

/** What the last attempts of a change's jobs have found in its files. */
function commentsIn(store: Store) {
  return async ({ patchset, ...of }: Findings) => {
    const builds = (await store.listBuilds({ ...of, limit: 200 })).filter((one) => one.patchset === patchset);
    // The newest are first.
    const last = new Map(builds.toReversed().map((build) => [build.job, build]));
    return [...last.values()].flatMap(({ comments = [] }) => comments);
  };
}

function latestAttemptIn(store: Store) {
  return async ({ job: { pipeline, change, patchset, buildSet, job } }: BeginJob): Promise<number> => {
    const builds = await store.listBuilds({ pipeline, change, job: job.name, buildSet, limit: 100 });
    return Math.max(0, ...builds.filter((build) => build.patchset === patchset).map(({ attempt }) => attempt));
  };
}
