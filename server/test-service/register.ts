import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { testAnswer } from '../../pipelines/test-service/answer.ts';
import { BadRequest, testRequest } from '../../pipelines/test-service/request.ts';
import { apiVersion } from '../../pipelines/test-service/result.ts';
import type { TestTaskState } from '../../workflows/test-task-contract.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import type { TestService } from './port.ts';

const which = z.object({ id: z.string().min(1).max(200).describe('a task’s id') });
const numbers = z.object({ bs_task_ids: z.array(z.int().min(0)).max(1000) });

/** The routes of the test service, each for who has a token. */
export function registerTestService(app: App, { testService }: Pick<ServerDeps, 'testService'>): void {
  if (testService === undefined) return;
  const onRequest = admit(testService);
  app.get('/docs', { schema: { hide: true } }, (_, reply) => reply.redirect('/api/openapi.json'));
  app.post(
    '/tasks/schedule',
    { onRequest, schema: { summary: 'Test a package', body: testRequest } },
    async (request, reply) => {
      try {
        const id = await testService.schedule(request.body, holders.get(request) ?? '');
        return reply.code(201).send({ success: true, task_id: id, api_version: apiVersion });
      } catch (error) {
        if (!(error instanceof BadRequest)) throw error;
        const refused = { success: false, error_description: error.message, api_version: apiVersion };
        return reply.code(error.statusCode).send(refused);
      }
    },
  );
  app.get(
    '/tasks/:id/result',
    { onRequest, schema: { summary: 'How a test task stands, and what came of it', params: which } },
    async ({ params: { id } }, reply) => {
      const found = await testService.look(id);
      if (found === null) return reply.code(404).send({ error: `there is no task ${id}` });
      const { result, ...about } = found;
      return { ...about, ...(open.has(about.state) ? {} : testAnswer(about, result)), api_version: apiVersion };
    },
  );
  app.post(
    '/cancel_tasks',
    { onRequest, schema: { summary: 'Cancel test tasks', body: numbers } },
    async ({ body: { bs_task_ids: ids } }) => {
      await testService.cancel(ids);
      return { success: true };
    },
  );
}

/** States of tasks that have not ended. */
const open = new Set<TestTaskState>(['PENDING', 'STARTED', 'RETRY']);

const holders = new WeakMap<FastifyRequest, string>();
const refusal = 'Could not validate credentials';

/** A hook that ends requests without a valid token. */
function admit(service: Pick<TestService, 'holderOf'>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const holder = given === undefined ? undefined : await service.holderOf(given);
    if (holder !== undefined) holders.set(request, holder);
    // `detail` is where clients of ALTS look.
    else await reply.code(401).header('www-authenticate', 'Bearer').send({ error: refusal, detail: refusal });
  };
}
