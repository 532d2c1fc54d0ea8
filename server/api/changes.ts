import { z } from 'zod';
import type { Change } from '../../pipelines/model/change.ts';
import { demand } from '../../pipelines/policy/access.ts';
import { approval, voteFault } from '../../pipelines/policy/veto.ts';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { authenticate } from '../token.ts';
import { readChange } from './change-show.ts';
import { withoutEffect } from './effects.ts';
import { requireKnown } from './known-names.ts';
import { after, cut, type ListPage, most, pageStart, sendPage } from './paging.ts';
import { changeView } from './views.ts';

const byId = z.object({ id: z.string().min(1) });
const filter = z.object({
  status: z.enum(['open', 'merged', 'abandoned']).optional(),
  project: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(most).optional().describe('absent: all'),
  after,
});
/** Of no use but to be told that it is another's: who acts is who holds the token. */
const by = z.string().optional().describe('whose act it is: refused unless it is the caller’s own');
const vote = z
  .object({
    label: z.string().min(1).optional().describe('absent: that which approves at the change’s connection'),
    value: z.int().optional().describe('absent: with its least value, else 1'),
    by,
  })
  .superRefine(({ label, value }, context) => {
    const fault = voteFault(label ?? approval, value ?? 1);
    if (fault !== null) context.addIssue(fault);
  });
const words = z.object({ text: z.string().trim().min(1).max(10_000), by });

/** One page of changes, the last that was made first. @throws where the query names a project that is not there */
export async function pageOfChanges(deps: ServerDeps, query: z.infer<typeof filter>): Promise<ListPage<Change>> {
  const { status, project, limit } = query;
  const all = await deps.changes.list(status === undefined ? {} : { status });
  const wanted = all.filter((change) => project === undefined || change.project === project).toSorted(newestFirst);
  if (wanted.length === 0 && project !== undefined) await requireKnown(deps, { project, limit: 1 });
  const start = pageStart(query.after);
  const from = start === undefined ? 0 : wanted.findIndex((change) => follows(change, start.id));
  const rest = from < 0 ? [] : wanted.slice(from);
  return cut(rest, limit ?? rest.length, ({ id }) => ({ startTime: 0, id }));
}

const inOrder = new Intl.Collator('en', { numeric: true });

/** Later numbers first. Numbers count over all projects of a host. */
function newestFirst({ id: a }: Change, { id: b }: Change): number {
  return inOrder.compare(b, a) || (a < b ? -1 : Number(a > b));
}

function follows(change: Change, id: string): boolean {
  return newestFirst(change, { ...change, id }) > 0;
}

/** What somebody votes who does not say on what: whatever the connection has agreed on. */
function voteOf({ approvals }: ServerDeps, id: string, { label, value }: z.infer<typeof vote>) {
  const agreed = approvals?.(id.slice(0, id.indexOf(':')));
  if (label !== undefined) return { label, value: value ?? 1 };
  return { label: agreed?.label ?? approval, value: value ?? agreed?.value ?? 1 };
}

/** Changes of the plain-Git host: look at them, vote, abandon, restore. */
export function registerChanges(app: App, deps: ServerDeps): void {
  const onRequest = authenticate(deps);
  const { changes } = deps;
  const idOf = async (name: string) => (await changes.read(name)).id;
  const lists = { schema: { summary: 'Changes, newest first, page by page', querystring: filter } };
  app.get('/api/changes', lists, async (request, reply) => {
    const { shown, next } = await pageOfChanges(deps, request.query);
    return sendPage(request, reply, { shown: shown.map(changeView), next });
  });
  app.get('/api/changes/:id', { schema: { summary: 'One change', params: byId } }, async ({ params }) =>
    changeView(await changes.read(params.id)),
  );
  app.get(
    '/api/changes/:id/story',
    { schema: { summary: 'What happened to a change, why, and what it waits for', params: byId } },
    ({ params }) => readChange(deps, params.id),
  );
  app.post(
    '/api/changes/:id/approve',
    { onRequest, schema: { summary: 'Vote on a change’s current patch set', params: byId, body: vote } },
    async (request) => {
      const { params, body } = request;
      const { by: inNameOf } = body;
      const id = await idOf(params.id);
      const vote = voteOf(deps, id, body);
      const actor = asks(request, 'vote', { changes: [id], ...vote });
      demand(actor, 'vote', { name: params.id, ...(inNameOf === undefined ? {} : { inNameOf }) });
      await changes.vote(actor, params.id, vote);
      return { ok: true, ...vote, withoutEffect: vote.value > 0 ? await withoutEffect(deps, params.id) : [] };
    },
  );
  app.post(
    '/api/changes/:id/comment',
    { onRequest, schema: { summary: 'Say something on a change’s current patch set', params: byId, body: words } },
    async (request) => {
      const { params, body } = request;
      const actor = asks(request, 'comment', { changes: [await idOf(params.id)] });
      demand(actor, 'comment', { name: params.id, ...(body.by === undefined ? {} : { inNameOf: body.by }) });
      await changes.comment(actor, params.id, body.text);
      return { ok: true, withoutEffect: await withoutEffect(deps, params.id) };
    },
  );
  for (const act of ['abandon', 'restore'] as const) {
    const schema = { summary: `${act} a change`, params: byId, body: z.object({ by }).nullish() };
    app.post(`/api/changes/:id/${act}`, { onRequest, schema }, async (request) => {
      const { id } = request.params;
      const inNameOf = request.body?.by;
      const actor = asks(request, act, { changes: [await idOf(id)] });
      demand(actor, act, { name: id, ...(inNameOf === undefined ? {} : { inNameOf }) });
      await changes[act](actor, id);
      return { ok: true };
    });
  }
}
