import { z } from 'zod';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { requireToken } from '../token.ts';

const name = z.string().min(1).max(500);
const inPipeline = z.object({ pipeline: name, change: name });
const branchInPipeline = z.object({ pipeline: name, project: name, branch: name });
const promotion = z.object({ pipeline: name, changes: z.array(name).min(1) });
const retriggering = z.object({ change: name, job: name, pipeline: name.optional() });
const notice = z.object({ connection: name, project: name, changes: z.array(name).max(1_000) });

/** Everything that acts on queues; a refusal is answered with 409 and its reason. */
export function registerActing(app: App, deps: ServerDeps): void {
  const { operations } = deps;
  const idOf = (change: string) => resolveChange(deps, change);
  const preHandler = requireToken(deps.token);
  app.addHook('preSerialization', async (_request, reply, payload) => {
    if (reply.statusCode === 200 && isRefusal(payload)) reply.code(409);
    return payload;
  });
  app.post(
    '/api/enqueue',
    {
      preHandler,
      schema: { summary: 'Put a change or a branch into a pipeline', body: z.union([inPipeline, branchInPipeline]) },
    },
    async ({ body }) => operations.enqueue('change' in body ? { ...body, change: await idOf(body.change) } : body),
  );
  app.post(
    '/api/dequeue',
    { preHandler, schema: { summary: 'Take a change out of a pipeline', body: inPipeline } },
    async ({ body }) => operations.dequeue({ ...body, change: await idOf(body.change) }),
  );
  app.post(
    '/api/promote',
    { preHandler, schema: { summary: 'Move changes to the head of their queue', body: promotion } },
    async ({ body }) => operations.promote({ ...body, changes: await Promise.all(body.changes.map(idOf)) }),
  );
  app.post(
    '/api/retrigger',
    { preHandler, schema: { summary: 'Run one job of a change again', body: retriggering } },
    async ({ body: { change, job, pipeline } }) =>
      operations.retrigger({ change: await idOf(change), job, ...(pipeline === undefined ? {} : { pipeline }) }),
  );
  registerOthers(app, deps);
}

/** What is not about a change in a queue. */
function registerOthers(app: App, deps: ServerDeps): void {
  const preHandler = requireToken(deps.token);
  app.post(
    '/api/cancel',
    { preHandler, schema: { summary: 'Stop one build', body: z.object({ build: name }) } },
    ({ body }) => deps.operations.cancel(body),
  );
  app.post(
    '/api/events/git',
    { preHandler, schema: { summary: 'For the Git hook: a push was taken', body: notice } },
    async ({ body }, reply) => {
      await deps.intake(body);
      return reply.code(202).send({ ok: true });
    },
  );
}

/** People name a change by its number or its Change-Id, too; what is no change, a branch say, keeps its name. */
async function resolveChange({ changes }: ServerDeps, name: string): Promise<string> {
  return changes.read(name).then(
    ({ id }) => id,
    () => name,
  );
}

function isRefusal(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'ok' in payload && payload.ok === false;
}
