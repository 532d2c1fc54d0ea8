import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { testAnswer } from '../../pipelines/test-service/answer.ts';
import { testRequest } from '../../pipelines/test-service/request.ts';
import { apiVersion } from '../../pipelines/test-service/result.ts';
import { type TestHolder, type TestRole, testRoles } from '../../pipelines/test-service/roles.ts';
import { openTestStates } from '../../workflows/test-task-contract.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import type { TestService } from './port.ts';

const which = z.object({ id: z.string().min(1).max(200).describe('a task’s id') });
const toCancel = z
  .object({
    bs_task_ids: z.array(z.int().min(0)).max(1000).optional().describe('numbers that the tasks were scheduled with'),
    task_ids: z.array(which.shape.id).max(1000).optional().describe('ids that the tasks were given'),
  })
  .refine((given) => given.bs_task_ids ?? given.task_ids, 'it needs bs_task_ids or task_ids');

/** The routes of the test service, each for who has a token. */
export function registerTestService(app: App, { testService }: Pick<ServerDeps, 'testService'>): void {
  if (testService === undefined) return;
  const hooks = (...roles: readonly TestRole[]) => ({
    onRequest: admit(testService, roles),
    preSerialization: asClientsReadIt,
  });
  app.get('/docs', { schema: { hide: true } }, (_, reply) => reply.redirect('/api/openapi.json'));
  app.post(
    '/tasks/schedule',
    { ...hooks('tester'), schema: { summary: 'Test a package', body: testRequest } },
    async (request, reply) => {
      const id = await testService.schedule(request.body, holders.get(request)?.email ?? '');
      return reply.code(201).send({ success: true, task_id: id, api_version: apiVersion });
    },
  );
  app.get(
    '/tasks/:id/result',
    { ...hooks(...testRoles), schema: { summary: 'How a test task stands, and what came of it', params: which } },
    async ({ params: { id } }, reply) => {
      const found = await testService.look(id);
      if (found === null) return reply.code(404).send({ error: `there is no task ${id}` });
      const { result, ...about } = found;
      return {
        ...about,
        ...(openTestStates.has(about.state) ? {} : testAnswer(about, result)),
        api_version: apiVersion,
      };
    },
  );
  app.post(
    '/cancel_tasks',
    { ...hooks('tester'), schema: { summary: 'Cancel test tasks', body: toCancel } },
    async ({ body: { bs_task_ids: numbers = [], task_ids: ids = [] } }) => {
      const unknown = [...(await testService.cancel(numbers)), ...(await testService.cancel(ids))];
      return { success: true, ...(unknown.length === 0 ? {} : { unknown }) };
    },
  );
}

/** Clients of ALTS look for what is wrong under names of their own. */
async function asClientsReadIt(_: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const { error } = (payload ?? {}) as { readonly error?: unknown };
  if (reply.statusCode < 400 || typeof error !== 'string') return payload;
  return { ...(payload as object), success: false, error_description: error, api_version: apiVersion };
}

const holders = new WeakMap<FastifyRequest, TestHolder>();
const refusal = 'Could not validate credentials';

/** A hook that ends requests without a valid token, and those of who may not do what they ask for. */
function admit(service: Pick<TestService, 'holderOf'>, roles: readonly TestRole[]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const holder = given === undefined ? undefined : await service.holderOf(given);
    if (holder !== undefined && roles.includes(holder.role)) {
      holders.set(request, holder);
      return;
    }
    // `detail` is where clients of ALTS look.
    if (holder !== undefined) {
      const denied = `the token of ${holder.email} is for looking alone: its role is ${holder.role}`;
      await reply.code(403).send({ error: denied, detail: denied });
    } else await reply.code(401).header('www-authenticate', 'Bearer').send({ error: refusal, detail: refusal });
  };
}
