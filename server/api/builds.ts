import { Readable } from 'node:stream';
import { z } from 'zod';
import type { LogInfo } from '../../activities/storage/port.ts';
import { byHand } from '../../pipelines/report/acts.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import { rebuildId } from '../../workflows/ids.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { sendFile } from '../files/send-file.ts';
import type { BuildFilter } from '../port.ts';
import { actsOn } from './audit.ts';
import { resolveChange } from './change-names.ts';
import { requireKnown } from './known-names.ts';
import { after, cut, type ListPage, most, pageStart, sendPage } from './paging.ts';
import { workflowUrl } from './status.ts';
import type { BuildView } from './types.ts';
import { buildRow, buildSetRow } from './views.ts';
import { withInterruptions } from './waits.ts';

const text = 'text/plain; charset=utf-8';

const filter = z.object({
  pipeline: z.string().optional(),
  project: z.string().optional(),
  change: z.string().optional(),
  job: z.string().optional(),
  result: z.string().optional(),
  buildSet: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(most).default(50),
  after,
});
const byId = z.object({ id: z.string() });
const logQuery = z.object({
  name: z.string().optional().describe('the log’s file name; absent: the first one'),
  follow: z.enum(['0', '1']).default('0').describe('1: until the build has ended'),
});

export function registerBuilds(app: App, deps: ServerDeps): void {
  const lists = (what: string) => ({ schema: { summary: `${what}, newest first, page by page`, querystring: filter } });
  app.get('/api/builds', lists('Builds'), async (request, reply) => {
    const { shown, next } = await pageOf(deps, request.query, (wanted) => deps.store.listBuilds(wanted));
    return sendPage(request, reply, { shown: (await withInterruptions(deps, shown)).map(buildRow), next });
  });
  app.get('/api/buildsets', lists('Build sets'), async (request, reply) => {
    const { shown, next } = await pageOfBuildSets(deps, request.query);
    return sendPage(request, reply, { shown: shown.map(buildSetRow), next });
  });
  app.get('/api/builds/:id', { schema: { summary: 'One build', params: byId } }, async (request, reply) => {
    const view = await readBuild(deps, request.params.id);
    return view ?? reply.code(404).send({ error: noBuild(request.params.id) });
  });
  const schema = { summary: 'A build’s log as text, also while it is written', params: byId, querystring: logQuery };
  app.get('/api/builds/:id/log', { schema }, async (request, reply) => {
    const { id: build } = request.params;
    const { name, follow } = request.query;
    const [id, record] = await Promise.all([writerOf(deps, build), deps.store.findBuild(build)]);
    if (follow === '1' && record !== undefined) {
      const gone = new AbortController();
      request.raw.on('close', () => gone.abort());
      const watch = { ended: () => hasEnded(deps, build), signal: gone.signal };
      return reply
        .header('content-type', text)
        .header('cache-control', 'no-store')
        .send(Readable.from(deps.logs.follow(id, name, watch)));
    }
    const content = await deps.logs.find(id, name);
    if (content) return sendFile(request, reply, { content, type: text });
    return reply.code(404).send({ error: record ? noLog(record, await deps.logs.list(id)) : noBuild(build) });
  });
}

type ListQuery = Omit<BuildFilter, 'after' | 'running'> & { readonly after?: string | undefined };

/**
 * One page of build sets.
 *
 * @throws where the query names what is not there
 */
export function pageOfBuildSets(deps: ServerDeps, query: ListQuery): Promise<ListPage<BuildSetRecord>> {
  return pageOf(deps, query, (wanted) => deps.store.listBuildSets(wanted));
}

/** The change may be called by any of its names. */
async function pageOf<T extends BuildRecord | BuildSetRecord>(
  deps: ServerDeps,
  query: ListQuery,
  list: (filter: BuildFilter) => Promise<T[]>,
): Promise<ListPage<T>> {
  const change = query.change === undefined ? {} : { change: await resolveChange(deps, query.change) };
  const filter = { ...query, ...change, after: pageStart(query.after) };
  const found = await list({ ...filter, limit: filter.limit + 1 });
  if (found.length === 0) await requireKnown(deps, filter);
  return cut(found, filter.limit, (one) => ({ startTime: one.startTime, id: 'id' in one ? one.id : one.workflow }));
}

/** A build with its logs and the other attempts at the same job. */
export async function readBuild(deps: ServerDeps, id: string): Promise<BuildView | undefined> {
  const build = await deps.store.findBuild(id);
  if (!build) return undefined;
  const { change, job, pipeline } = build;
  const attempts = await deps.store.listBuilds({ change, job, pipeline, limit: 50 });
  const logs = (await deps.logs.list(await writerOf(deps, id))).map(({ name, complete }) => ({
    name,
    complete,
    url: `/api/builds/${id}/log?name=${encodeURIComponent(name)}`,
  }));
  const prefix = workflowUrl(deps);
  const url = prefix && prefix + encodeURIComponent(build.workflow);
  const hands = byHand(attempts, await actsOn(deps, change));
  const [told = build] = await withInterruptions(deps, [build]);
  return { build: buildRow(told), logs, attempts: attempts.map(buildRow), byHand: hands, workflowUrl: url };
}

export function noBuild(id: string): string {
  return `there is no build ${id}: see \`sluice builds\``;
}

/** Under whose id a build's logs are: a release writes none, and the build that it may need has an id of its own. */
async function writerOf({ logs }: ServerDeps, id: string): Promise<string> {
  const again = rebuildId(id);
  const own = await logs.list(id);
  return own.length === 0 && (await logs.list(again)).length > 0 ? again : id;
}

function noLog({ id, endTime }: BuildRecord, logs: readonly LogInfo[]): string {
  if (logs.length > 0) return `build ${id} has no such log, but ${logs.map(({ name }) => name).join(', ')}`;
  if (endTime !== null) return `build ${id} has written no log: \`sluice builds\` says what it came to`;
  return `build ${id} has written nothing yet: it begins as soon as a worker has a place for it (workers.build)`;
}

async function hasEnded(deps: ServerDeps, id: string): Promise<boolean> {
  const build = await deps.store.findBuild(id);
  return build === undefined || build.endTime !== null;
}
