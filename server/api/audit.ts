import { z } from 'zod';
import { demand, operations } from '../../pipelines/policy/access.ts';
import type { Act } from '../../pipelines/policy/act.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticate } from '../token.ts';
import { resolveChange } from './change-names.ts';
import { after, cut, most, pageStart, sendPage } from './paging.ts';

const filter = z.object({
  by: z.string().optional().describe('name of who asked'),
  operation: z.enum(operations).optional(),
  change: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(most).default(50),
  after,
});

/** Who asked for what, and what came of it: for those who may act. */
export function registerAudit(app: App, deps: ServerDeps): void {
  const schema = { summary: 'What people asked for, newest first, page by page', querystring: filter };
  app.get('/api/audit', { onRequest: authenticate(deps), schema }, async (request, reply) => {
    const { query } = request;
    demand(actorOf(request), 'audit', { name: 'the audit log' });
    const change = query.change === undefined ? undefined : await resolveChange(deps, query.change);
    const wanted = { ...query, change, after: pageStart(query.after), limit: query.limit + 1 };
    const found = await deps.store.acts.list(wanted);
    return sendPage(
      request,
      reply,
      cut<Act>(found, query.limit, ({ time, id }) => ({ startTime: time, id })),
    );
  });
}

/** How many acts on a change are shown with it. */
const mostActs = 500;

/** What people did with a change that its host does not tell; the newest first. */
export async function actsOn({ store }: Pick<ServerDeps, 'store'>, change: string): Promise<readonly Act[]> {
  const acts = await store.acts.list({ change, limit: mostActs });
  return acts.filter(({ operation, outcome }) => outcome === 'done' && !toldByHost.has(operation));
}

const toldByHost: ReadonlySet<string> = new Set(['vote', 'comment', 'abandon', 'restore', 'dequeue']);
