import { z } from 'zod';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { resolveChange } from './change-names.ts';
import { requireKnown } from './known-names.ts';
import { after, cut, type ListPage, most, pageStart, sendPage } from './paging.ts';
import { unknownName } from './unknown-name.ts';
import { mirrorView, releaseView } from './views.ts';
import { withReleaseWaits } from './waits.ts';

const limit = z.coerce.number().int().min(1).max(most).default(50);
const ofReleases = z.object({
  project: z.string().optional(),
  change: z.string().optional(),
  build: z.string().optional().describe('id of the build whose packages are asked for'),
  limit,
  after,
});
const ofMirrors = z.object({ set: z.string().optional(), limit, after });

/** What was released, and what mirrors were sent. */
export function registerReleases(app: App, deps: ServerDeps): void {
  const releases = { schema: { summary: 'Releases, newest first, page by page', querystring: ofReleases } };
  app.get('/api/releases', releases, async (request, reply) => {
    const { shown, next } = await pageOfReleases(deps, request.query);
    return sendPage(request, reply, { shown: shown.map(releaseView), next });
  });
  const mirrors = { schema: { summary: 'Mirror transactions, newest first, page by page', querystring: ofMirrors } };
  app.get('/api/mirrors', mirrors, async (request, reply) => {
    const { shown, next } = await pageOfMirrors(deps, request.query);
    return sendPage(request, reply, { shown: shown.map(mirrorView), next });
  });
}

/** One page of releases; the change may be called by any of its names. @throws where the query names what is not there */
export async function pageOfReleases(
  deps: ServerDeps,
  query: z.infer<typeof ofReleases>,
): Promise<ListPage<ReleaseRecord>> {
  const { project, build, limit } = query;
  const change = query.change === undefined ? undefined : await resolveChange(deps, query.change);
  const wanted = { project, change, after: pageStart(query.after), limit: limit + 1 };
  const found = await deps.store.listReleases({ ...wanted, build });
  if (found.length === 0) await requireKnown(deps, wanted);
  // Of what an earlier version has released nobody knows the build.
  if (found.length === 0 && build !== undefined && (await deps.store.findBuild(build)) === undefined) {
    throw Object.assign(new Error(`there is no build ${build}`), { name: 'UnknownName' });
  }
  const { shown, next } = cut(found, limit, place);
  const told = withReleaseWaits(deps, shown, ({ state, summary, id, workflow = id }) =>
    state === 'running' && summary === '' ? workflow : undefined,
  );
  return { shown: await told, next };
}

/** One page of mirror transactions. @throws `UnknownName` for a set that is not configured and was never sent anything */
export async function pageOfMirrors(
  { store, configuration }: ServerDeps,
  { set, after, limit }: z.infer<typeof ofMirrors>,
): Promise<ListPage<MirrorRecord>> {
  const found = await store.listMirrors({ set, after: pageStart(after), limit: limit + 1 });
  if (found.length === 0 && set !== undefined) {
    const sets = [...new Set([...(configuration?.mirrorSets() ?? []), ...(await store.listMirroredSets())])];
    if (!sets.includes(set)) throw unknownName('set of mirrors', set, sets);
  }
  return cut(found, limit, place);
}

function place({ startTime, id }: ReleaseRecord | MirrorRecord) {
  return { startTime, id };
}
