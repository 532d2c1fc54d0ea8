import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { createLayouts } from '../../activities/layout/layouts.ts';
import { reasonOf } from '../../activities/outcome.ts';
import { peopleElsewhere } from '../../activities/review/elsewhere.ts';
import { joinPeople, type People } from '../../activities/review/people.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { changeIdOf } from '../../pipelines/model/change.ts';
import { createConflictOf } from '../../server/events/conflict.ts';
import { createGateClient } from '../../server/events/gate-client.ts';
import { createRefLook, isWatched, openMovedRefs } from '../../server/events/moved-refs.ts';
import { EventRouter } from '../../server/events/router.ts';
import type { Changes } from '../../server/port.ts';
import type { Common } from '../common/common.ts';
import type { LiveConfig } from '../common/live-config.ts';
import { labelSizes } from '../config/label-sizes.ts';
import type { Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { openConnected } from './connected.ts';
import { openConnections } from './connections.ts';
import { reviewedLabels } from './given-machines.ts';
import { isMergeBranch } from './merge-branches.ts';
import { createRenewal } from './renew.ts';

export interface ReviewsDeps {
  readonly common: Common;
  readonly live: LiveConfig;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  readonly logger: Logger;
}

/** Milliseconds between two looks at the branches and tags of a review system that tells of them itself. */
const refPeriod = 600_000;

/** The review systems, and the way from what happens there to the gates. */
export function createReviews(deps: ReviewsDeps) {
  const { common, live, temporal, logger } = deps;
  const { git } = common;
  const layouts = openLayouts(deps);
  const connections = openConnections(common);
  const gates = createGateClient(temporal.client);
  const own = join(dirname(common.paths.git), 'review');
  const refs = openRefs(git, own);
  const elsewhere = new Set(connections.flatMap(({ name, served }) => (served ? [] : [name])));
  const renewal = createRenewal({
    ...{ git, live, listing: common.listing },
    hosts: connections.filter(({ served }) => !served).map(({ host }) => host),
    warn: (about, message) => logger.warn(about, message),
  });
  const since = openConnected(own);
  const connected = async (name: string) => (elsewhere.has(name) ? since(name) : undefined);
  const router = createRouter(deps, { layouts, connections, gates, refs, renewal, connected });
  const people = joinPeople(
    connections.map((each) => ({ ...each, people: each.people ?? peopleElsewhere(each.host) })),
  );
  const merged = createMerged({ live, router, elsewhere });
  const lookAtRefs = beginRefLook(deps, { layouts, router, refs });
  return { router, layouts, gates, people, merged, connections, renewal, lookAtRefs };
}

type Layouts = ReturnType<typeof createLayouts>;
type MovedRefs = ReturnType<typeof openMovedRefs>;

interface Routing {
  readonly layouts: Layouts;
  readonly connections: ReturnType<typeof openConnections>;
  readonly gates: ReturnType<typeof createGateClient>;
  readonly refs: MovedRefs;
  readonly renewal: ReturnType<typeof createRenewal>;
  /** When a connection was made; undefined for a host that Sluice serves. */
  readonly connected: (name: string) => Promise<number | undefined>;
}

function createRouter({ common, store }: ReviewsDeps, { connections, renewal, ...routing }: Routing): EventRouter {
  const { config, git } = common;
  const hosts = connections.map(({ host }) => host);
  return new EventRouter({
    ...{ ...routing, tenant: config.tenant, hosts, connections, ledger: store, blobs: common.blobs },
    held: async () => (await store.listQueues()).flatMap(({ items }) => items.flatMap(({ changes }) => changes)),
    hadBefore: async ({ pipeline, key }) =>
      (await store.listBuildSets({ pipeline, change: changeIdOf(key), limit: 100 })).some(
        ({ change, patchset }) => `${change},${patchset}` === key,
      ),
    renew: renewal.look,
    fetch: (project, at) =>
      git.ensure(project, [], at?.newrev === undefined ? undefined : { branch: at.branch, commit: at.newrev }),
    bring: ({ connection, project, ref }) => {
      const host = hosts.find((each) => each.connection === connection);
      // Elsewhere all is fetched anyway when it is needed, and who needs it hears what is wrong.
      if (host?.gitRemote(project).peek) git.ensure(project, [ref], { branches: [] }).catch(() => {});
    },
    conflictOf: createConflictOf(git, (name) => connections.some((one) => one.name === name && one.served)),
  });
}

function openLayouts({ common: { config, git }, live }: ReviewsDeps): Layouts {
  const drivers = Object.entries(config.connections).map(([name, { driver }]) => [name, driver] as const);
  return createLayouts({
    ...{ tenant: config.tenant, projects: live.projects, git },
    ...{ connections: Object.fromEntries(drivers), reviews: config.connections },
    reviewedLabels: reviewedLabels(config.nodes),
    labelSizes: labelSizes(config),
  });
}

function openRefs(git: Common['git'], directory: string): MovedRefs {
  return openMovedRefs(directory, async ({ project, ref, object }) => {
    try {
      await git.ensure(project, [ref]);
      return (await git.resolve(project, object)).commit;
    } catch {
      // The tag is gone by now, or is another one.
      return undefined;
    }
  });
}

interface RefLook {
  readonly layouts: Layouts;
  readonly router: EventRouter;
  readonly refs: MovedRefs;
}

/** Looks now and then at the branches and tags of a connection. */
function beginRefLook({ common: { config }, logger }: ReviewsDeps, { layouts, router, refs }: RefLook) {
  const warn = (about: object, error: unknown) =>
    logger.warn({ ...about, error: reasonOf(error) }, 'cannot look at branches and tags');
  const look = async (connection: string) => {
    const [host, driver] = [router.host(connection), config.connections[connection]?.driver ?? ''];
    if (host === undefined || !isWatched(driver)) return;
    const { projects } = await layouts.current();
    const gated = [...projects.byName.values()].filter((project) => project.connection === connection);
    const failed = (project: string, error: unknown) => warn({ connection, project }, error);
    const looked = { host, driver, projects: gated.map(({ name }) => name), failed };
    await refs.find(looked, (event) => router.hear(connection, { id: 'refs', news: [{ kind: 'event', event }] }));
  };
  return createRefLook(refPeriod, look, (connection, error) => warn({ connection }, error));
}

interface MergedDeps {
  readonly live: LiveConfig;
  readonly router: EventRouter;
  /** Names of the connections that Sluice does not serve itself. */
  readonly elsewhere: ReadonlySet<string>;
}

/** What a change has become on its branch, where that is one into which Sluice merges. */
function createMerged({ live, router, elsewhere }: MergedDeps): ReviewHost['readMerged'] {
  return async (of) => {
    const connection = live.project(of.project)?.connection;
    const host = connection === undefined ? undefined : router.host(connection);
    if (host === undefined) return null;
    const asked = elsewhere.has(host.connection) ? host : null;
    return (await isMergeBranch(() => live.settings().projects, of, asked)) ? host.readMerged(of) : null;
  };
}

/**
 * What people do is seen by the gates before they get their answer.
 *
 * @param tidy is called once a change is abandoned
 */
export function watched(people: People, router: EventRouter, tidy: () => void): Changes {
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
