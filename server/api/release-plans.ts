import { z } from 'zod';
import { releasePlanId } from '../../workflows/ids.ts';
import { answered, asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import type { ReleasePlans } from '../release-plans.ts';
import { authenticate } from '../token.ts';
import { resolveChange } from './change-names.ts';
import { withReleaseWaits } from './waits.ts';

const name = z.string().min(1).max(500);
const planName = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'a plan is named with a-z 0-9 . _ -, and begins with a letter or digit');
const which = z.object({ plan: planName });
const asked = z.object({
  name: planName.optional(),
  lines: z.array(name).max(100).default([]).describe('released repositories'),
  platforms: z.array(name).max(100).default([]),
  projects: z.array(name).max(1000).default([]).describe('names, or patterns of names'),
  builds: z.array(name).max(1000).default([]).describe('ids of builds that made packages'),
  changes: z.array(name).max(1000).default([]),
});
const limited = z.object({ limit: z.coerce.number().int().min(1).max(500).default(50) });

/** Release plans: made, looked at, carried out, taken back, removed. */
export function registerReleasePlans(app: App, deps: ServerDeps): void {
  const { releasePlans: plans } = deps;
  if (plans === undefined) return;
  const onRequest = authenticate(deps);
  app.get(
    '/api/release-plans',
    { schema: { summary: 'Release plans, newest first', querystring: limited } },
    async ({ query }) =>
      withReleaseWaits(deps, await plans.list(query.limit), ({ state, tenant, id }) =>
        state === 'running' ? releasePlanId({ tenant, plan: id }) : undefined,
      ),
  );
  app.post(
    '/api/release-plans',
    { onRequest, schema: { summary: 'Plan a release of what waits for one', body: asked } },
    async (request, reply) => {
      const { name: called, changes, ...wish } = request.body;
      const ids = await Promise.all(changes.map((change) => resolveChange(deps, change)));
      const actor = asks(request, 'release', { action: 'plan', changes: ids });
      const made = await plans.make(actor, { ...wish, changes: ids }, called);
      if ('id' in made) answered(request, { plan: made.id });
      return reply.code('ok' in made ? 409 : 201).send(made);
    },
  );
  app.post(
    '/api/release-plans/:plan/remove',
    { onRequest, schema: { summary: 'Forget a plan that was not carried out', params: which } },
    (request) => {
      const { plan } = request.params;
      return plans.remove(asks(request, 'release', { action: 'remove', plan }), plan);
    },
  );
  registerTakingBack(app, deps, plans);
  for (const action of ['commit', 'revert'] as const) {
    const words = action === 'commit' ? 'Release what is planned' : 'Take a release back';
    app.get(
      `/api/release-plans/:plan/${action}`,
      { schema: { summary: `${words}: what each repository would gain and lose`, params: which } },
      ({ params }) => plans.preview({ ...params, action }),
    );
    app.post(
      `/api/release-plans/:plan/${action}`,
      { onRequest, schema: { summary: words, params: which } },
      (request) => {
        const { plan } = request.params;
        return plans.act(asks(request, 'release', { action, plan }), { plan, action });
      },
    );
  }
}

const ofChange = z.object({ change: name });
const inLines = z.array(name).max(100).default([]).describe('released repositories; none: all');

/** What is released of one change, with a plan or at once, is taken back. */
function registerTakingBack(app: App, deps: ServerDeps, plans: ReleasePlans): void {
  const summary = 'Take back what is released of a change';
  const query = ofChange.extend({ line: z.union([name.transform((one) => [one]), inLines]).default([]) });
  app.get(
    '/api/releases/revert',
    { schema: { summary: `${summary}: what each repository would lose`, querystring: query } },
    async ({ query: { change, line } }) =>
      plans.previewTakingBack({ change: await resolveChange(deps, change), lines: line }),
  );
  app.post(
    '/api/releases/revert',
    { onRequest: authenticate(deps), schema: { summary, body: ofChange.extend({ lines: inLines }) } },
    async (request) => {
      const { change, lines } = request.body;
      const id = await resolveChange(deps, change);
      const actor = asks(request, 'release', { action: 'revert', changes: [id] });
      return plans.takeBack(actor, { change: id, lines });
    },
  );
}
