import { z } from 'zod';
import type { App } from '../fastify.ts';
import type { Workers } from './port.ts';
import { mayWorkFor } from './rights.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/);
/** Relative, each part an ordinary name. */
const path = z
  .string()
  .max(1_000)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._+~^:%@-]*(\/[A-Za-z0-9_][A-Za-z0-9._+~^:%@-]*)*$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Files of one test repository, and bytes of what names them. */
const mostFiles = 20_000;
const mostBytes = 8 * 1024 * 1024;

/** Test repositories: what is in one, and one of files that are stored. */
export function registerTrees(app: App, workers: Workers): void {
  const params = z.object({ name });
  app.get(
    '/trees/:name',
    { schema: { summary: 'For workers: the paths in a test repository', params } },
    async (request, reply) => {
      const paths = await workers.trees.paths(request.params.name);
      return paths ?? reply.code(404).send({ error: `there is no test repository ${request.params.name}` });
    },
  );
  const body = z.object({ files: z.array(z.object({ path, digest })).max(mostFiles) });
  const querystring = z.object({ build: z.string().min(1) });
  app.put(
    '/trees/:name',
    {
      schema: { summary: 'For workers: show a test repository of stored files', params, querystring, body },
      bodyLimit: mostBytes,
    },
    async (request, reply) => {
      const { name } = request.params;
      const { build } = request.query;
      if (!name.endsWith(`-${build}-deb`) && !name.endsWith(`-${build}-rpm`)) {
        return reply.code(400).send({ error: `${name} is no test repository of the build ${build}` });
      }
      if (!(await mayWorkFor(workers, { request, reply }, { build }))) return reply;
      await workers.assemble(name, request.body.files);
      return reply.code(204).send();
    },
  );
}

/** What is released, for workers to find their way in it: the files themselves are shown to all. */
export function registerReleased(app: App, workers: Workers): void {
  const repository = z.object({ repository: z.enum(['deb', 'rpm']) });
  app.get(
    '/released/:repository',
    { schema: { summary: 'For workers: the generation that is shown', params: repository } },
    async (request) => ({ generation: await workers.released.current(request.params.repository) }),
  );
  app.get(
    '/released/:repository/:generation',
    {
      schema: {
        summary: 'For workers: the paths in a generation',
        params: repository.extend({ generation: z.string() }),
      },
    },
    async (request, reply) => {
      if (await workers.released.has(request.params)) return workers.released.list(request.params);
      const { repository: of, generation } = request.params;
      return reply.code(404).send({ error: `there is no generation ${generation} of ${of}` });
    },
  );
  app.get(
    '/archive-key',
    { schema: { summary: 'For workers: the key that must have signed it' } },
    async (_request, reply) => {
      const key = await workers.archiveKey();
      if (key === undefined) return reply.code(404).send({ error: 'nothing was signed yet' });
      return reply.type('text/plain').send(key);
    },
  );
}
