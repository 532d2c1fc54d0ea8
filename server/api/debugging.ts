import { z } from 'zod';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { keptOf } from '../machines.ts';
import { authenticate } from '../token.ts';

/** Seconds that a session may last from now on: it takes memory that jobs have no longer. */
const longest = 24 * 3600;

const build = z.string().min(1).max(500).describe('a build’s id');
const which = z.object({ build });
const step = z.int().min(1).optional().describe('after which step of the test; absent: as at the failure');
const seconds = z.int().min(60).max(longest).describe('how long from now on');

/** Machines of failed jobs: what is kept, and sessions in which people look at them. */
export function registerDebugging(app: App, deps: ServerDeps): void {
  const { machines, debugging } = deps;
  if (machines === undefined || debugging === undefined) return;
  const onRequest = authenticate(deps);
  app.get(
    '/api/machines/kept/:build',
    { schema: { summary: 'What is kept of a failed job’s machines', params: which } },
    async ({ params }, reply) => {
      const found = keptOf(await machines.list(), params.build);
      return found ?? reply.code(404).send({ error: `no machines are kept of the build ${params.build}` });
    },
  );
  app.post(
    '/api/machines/debug',
    {
      onRequest,
      schema: { summary: 'Restore a failed job’s machines, or extend that', body: which.extend({ seconds, step }) },
    },
    async (request, reply) => {
      const { build, seconds, step } = request.body;
      const until = Date.now() + seconds * 1000;
      await debugging.open(asks(request, 'debug', { build }), { build, until, ...(step !== undefined && { step }) });
      return reply.code(202).send({ build });
    },
  );
  app.get(
    '/api/machines/debug',
    { schema: { summary: 'How a debug session stands', querystring: which } },
    ({ query }) => debugging.look(query.build),
  );
  app.post(
    '/api/machines/debug/end',
    { onRequest, schema: { summary: 'End a debug session', body: which } },
    async (request, reply) => {
      await debugging.close(asks(request, 'debug', { action: 'end', build: request.body.build }), request.body.build);
      return reply.code(202).send({ build: request.body.build });
    },
  );
}
