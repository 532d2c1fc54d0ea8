import { Readable } from 'node:stream';
import { unpreparedWords } from '../../pipelines/report/machines.ts';
import { absence } from '../../pipelines/report/sentences.ts';
import { decidingFailure } from '../../web/failure.ts';
import { resultTone } from '../../web/jobs.ts';
import { withWaits } from '../../web/waits.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { watch } from '../watch.ts';
import type { AbsentProject, StatusView } from './types.ts';
import { buildRow, buildSetRow, mirrorView, queueView, releaseView } from './views.ts';
import { findWaits, runningBuilds } from './waits.ts';

/** Milliseconds between two signs of life on an event stream: proxies close silent connections. */
const beat = 15_000;

/** Event streams that may be open at once, and things that may wait for the reader of one. */
const mostWatchers = 256;
const mostWaiting = 1_000;

/** How many of the latest build sets, releases and mirror transactions the status shows. */
const recent = 20;

export async function readStatus(deps: ServerDeps): Promise<StatusView> {
  const { store, configuration } = deps;
  const mirrorSets = configuration?.mirrorSets() ?? [];
  const [queues, running, buildSets, releases, mirrors, synced, occurrences, estimates] = await Promise.all([
    store.listQueues(),
    store.listBuilds(runningBuilds),
    store.listBuildSets({ limit: recent }),
    store.listReleases({ limit: recent }),
    store.listMirrors({ limit: recent }),
    store.listMirroredSets(),
    store.occurrences.backlog(),
    store.estimates(),
  ]);
  const [failures, waits] = await Promise.all([readFailures(deps, buildSets), findWaits(deps, queues, running)]);
  const lists = {
    queues: queues.map((queue) => queueView(withWaits(queue, waits))),
    waits,
    running: running.map(buildRow),
    buildSets: buildSets.map(buildSetRow),
    failures: failures.map(buildRow),
    releases: releases.map(releaseView),
    mirrors: mirrors.map(mirrorView),
    unsyncedMirrors: mirrorSets.filter((set) => !synced.includes(set)),
    occurrences: occurrences.map(({ connection, waiting, dead }) => ({ connection, waiting, dead })),
    unheard: deps.unheard?.() ?? [],
    absent: (deps.absent?.() ?? []).map(absentView),
    estimates,
  };
  // Temporal may be away, which is told elsewhere.
  const failed = (await deps.machines?.unprepared().catch(() => [])) ?? [];
  const unprepared = failed.map(({ platform, reason }) => ({ platform, text: unpreparedWords(platform, reason) }));
  const notice = configuration?.notice() ?? null;
  // A configuration that cannot be read now is told elsewhere: the queues are shown all the same.
  const pipelines = (await deps.pipelines?.().catch(() => [])) ?? [];
  return { pipelines, time: Date.now(), workflowUrl: workflowUrl(deps), configuration: notice, unprepared, ...lists };
}

function absentView({ connection, project, now }: AbsentProject) {
  return { connection, project, text: `${connection}: ${absence(project, now)}` };
}

/** Of build sets that failed, the builds that decided. */
export async function readFailures(
  { store }: ServerDeps,
  buildSets: readonly BuildSetRecord[],
): Promise<BuildRecord[]> {
  const failed = buildSets.filter(({ result }) => result !== null && resultTone(result) === 'bad');
  const found = await Promise.all(
    failed.map(async ({ pipeline, key }) =>
      decidingFailure(await store.listBuilds({ pipeline, buildSet: key, limit: 200 })),
    ),
  );
  return found.filter((build) => build !== undefined);
}

/** Where Temporal's Web UI shows a workflow; its id, percent-encoded, is to follow. */
export function workflowUrl({ temporalUi }: ServerDeps): string | null {
  return temporalUi && `${temporalUi.url}/namespaces/${temporalUi.namespace}/workflows/`;
}

export function registerStatus(app: App, deps: ServerDeps): void {
  app.get('/api/status', { schema: { summary: 'Queues, recent results, releases and mirrors' } }, () =>
    readStatus(deps),
  );
  app.get(
    '/api/events',
    {
      schema: {
        summary: 'What happens, as server-sent events: queue, build-set, build, release, mirror, configuration',
      },
    },
    (request, reply) => {
      if (deps.live.watchers >= mostWatchers) {
        const error = `${mostWatchers} event streams are open already: close one, or ask /api/status now and then`;
        return reply.code(503).header('retry-after', '60').send({ error });
      }
      const gone = new AbortController();
      request.raw.on('close', () => gone.abort());
      // A reader that takes nothing for so long, not even the signs of life, will not come back.
      reply.raw.setTimeout(4 * beat);
      const stream = Readable.from(watch(deps.live, gone.signal, { beat, most: mostWaiting }));
      return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(stream);
    },
  );
}
