import { z } from 'zod';
import { demand } from '../../pipelines/policy/access.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticateBy, workerTokenFile } from '../token.ts';
import { workerIn } from '../worker/rights.ts';

const request = z.object({
  project: z.string().min(1).max(200),
  commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/),
});

const path = z.string().min(1).max(4_096);
const object = z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().min(0), path });
const objectsRequest = request.extend({
  module: path.optional().describe('of the submodule that they are of; absent: the project’s own'),
  objects: z.array(object).min(1).max(20_000),
});

/** Bytes of the longest question. */
const longest = 8 * 1024 * 1024;

/** Has submodules and objects of Git LFS fetched: workers have no rights at hosts, and no network but the server need be near them. */
export function registerSources(app: App, { modules, objects, secrets, workers }: ServerDeps): void {
  if (modules === undefined || objects === undefined) return;
  const onRequest = authenticateBy(workerIn({ secrets, workers }), workerTokenFile);
  app.post(
    '/api/submodules',
    {
      onRequest,
      schema: { summary: 'For workers: fetch the submodules of a commit beside it', body: request },
    },
    async (request) => {
      const { project, commit } = request.body;
      demand(actorOf(request), 'work', { name: project });
      return { modules: await modules(project, commit) };
    },
  );
  app.post(
    '/api/lfs',
    {
      onRequest,
      schema: { summary: 'For workers: fetch objects of Git LFS into storage', body: objectsRequest },
      bodyLimit: longest,
    },
    async (request) => {
      demand(actorOf(request), 'work', { name: request.body.project });
      await objects(request.body);
      return { ok: true };
    },
  );
}
