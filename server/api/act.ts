import { z } from 'zod';
import { isOccurrenceId } from '../../activities/review/port.ts';
import { demand } from '../../pipelines/policy/access.ts';
import { answered, asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticate } from '../token.ts';
import { resolveChange } from './change-names.ts';
import { effectsOfPush } from './effects.ts';

const name = z.string().min(1).max(500);
const inPipeline = z.object({ pipeline: name, change: name });
const branchInPipeline = z.object({ pipeline: name, project: name, branch: name });
const promotion = z.object({ pipeline: name, changes: z.array(name).min(1) });
const retriggering = z.object({ change: name, job: name, pipeline: name.optional() });
const notice = z.object({
  id: z.string().refine(isOccurrenceId).optional(),
  connection: name,
  project: name,
  changes: z.array(name).max(1_000),
});

/** Everything that acts on queues; a refusal is answered with 409 and its reason. */
export function registerActing(app: App, deps: ServerDeps): void {
  const { operations } = deps;
  const idOf = (change: string) => resolveChange(deps, change);
  const onRequest = authenticate(deps);
  app.addHook('preSerialization', async (_request, reply, payload) => {
    if (reply.statusCode === 200 && isRefusal(payload)) reply.code(409);
    return payload;
  });
  app.post(
    '/api/enqueue',
    {
      onRequest,
      schema: { summary: 'Put a change or a branch into a pipeline', body: z.union([inPipeline, branchInPipeline]) },
    },
    async (request) => {
      const { body } = request;
      if (!('change' in body)) return operations.enqueue(asks(request, 'enqueue', body), body);
      const { pipeline } = body;
      const change = await idOf(body.change);
      return operations.enqueue(asks(request, 'enqueue', { changes: [change], pipeline }), { pipeline, change });
    },
  );
  app.post(
    '/api/dequeue',
    { onRequest, schema: { summary: 'Take a change out of a pipeline', body: inPipeline } },
    async (request) => {
      const { pipeline } = request.body;
      const change = await idOf(request.body.change);
      return operations.dequeue(asks(request, 'dequeue', { changes: [change], pipeline }), { pipeline, change });
    },
  );
  app.post(
    '/api/promote',
    { onRequest, schema: { summary: 'Move changes to the head of their queue', body: promotion } },
    async (request) => {
      const changes = await Promise.all(request.body.changes.map(idOf));
      const { pipeline } = request.body;
      return operations.promote(asks(request, 'promote', { changes, pipeline }), { pipeline, changes });
    },
  );
  app.post(
    '/api/retrigger',
    { onRequest, schema: { summary: 'Run one job of a change again', body: retriggering } },
    async (request) => {
      const { change, job, pipeline } = request.body;
      const what = { change: await idOf(change), job, ...(pipeline === undefined ? {} : { pipeline }) };
      const { change: id, ...about } = what;
      const answer = await operations.retrigger(asks(request, 'retrigger', { changes: [id], ...about }), what);
      if (answer.ok && answer.buildSet !== undefined) answered(request, { buildSet: answer.buildSet });
      return answer;
    },
  );
  registerOthers(app, deps);
}

/** What is not about a change in a queue. */
function registerOthers(app: App, deps: ServerDeps): void {
  const onRequest = authenticate(deps);
  app.post(
    '/api/reload',
    { onRequest, schema: { summary: 'Read the configuration file again' } },
    async (request, reply) => {
      demand(asks(request, 'reload'), 'reload', { name: 'the configuration' });
      try {
        return deps.configuration?.reload();
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'InvalidConfiguration') throw error;
        return reply.code(400).send({ error: error.message });
      }
    },
  );
  app.post(
    '/api/cancel',
    { onRequest, schema: { summary: 'Stop one build', body: z.object({ build: name }) } },
    async (request) => {
      const { build } = request.body;
      const actor = asks(request, 'cancel', { build, changes: await changesOf(deps, build) });
      return deps.operations.cancel(actor, { build });
    },
  );
  app.post(
    '/api/events/git',
    { onRequest, schema: { summary: 'For the Git hook: a push was taken', body: notice } },
    async (request, reply) => {
      demand(actorOf(request), 'notify', { name: request.body.project });
      await deps.intake(request.body);
      return reply.code(202).send({ ok: true, withoutEffect: await effectsOfPush(deps, request.body.changes) });
    },
  );
}

/** The change that a build is of; none for a build that nobody knows. */
async function changesOf({ store }: ServerDeps, build: string): Promise<readonly string[]> {
  const found = await store.findBuild(build);
  return found === undefined ? [] : [found.change];
}

function isRefusal(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'ok' in payload && payload.ok === false;
}
