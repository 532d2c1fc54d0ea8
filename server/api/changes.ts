import { z } from 'zod';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { requireToken } from '../token.ts';

const byId = z.object({ id: z.string().min(1) });
const filter = z.object({ status: z.enum(['open', 'merged', 'abandoned']).optional() });
const by = z.string().min(1).default('somebody').describe('who does it, for the record');
const vote = z.object({ label: z.string().min(1).default('Approved'), value: z.int().default(1), by });

/** Changes of the plain-Git host: look at them, vote, abandon, restore. */
export function registerChanges(app: App, deps: ServerDeps): void {
  const preHandler = requireToken(deps.token);
  const { changes } = deps;
  app.get('/api/changes', { schema: { summary: 'Changes', querystring: filter } }, ({ query }) =>
    changes.list(query.status === undefined ? {} : { status: query.status }),
  );
  app.get('/api/changes/:id', { schema: { summary: 'One change', params: byId } }, ({ params }) =>
    changes.read(params.id),
  );
  app.post(
    '/api/changes/:id/approve',
    { preHandler, schema: { summary: 'Vote on a change’s current patch set', params: byId, body: vote } },
    async ({ params, body }) => {
      await changes.vote(params.id, body);
      return { ok: true };
    },
  );
  for (const act of ['abandon', 'restore'] as const) {
    const schema = { summary: `${act} a change`, params: byId, body: z.object({ by }) };
    app.post(`/api/changes/:id/${act}`, { preHandler, schema }, async ({ params, body }) => {
      await changes[act](params.id, body.by);
      return { ok: true };
    });
  }
}
