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

/** Has submodules fetched: workers have no rights at hosts, and no network but the server need be near them. */
export function registerSubmodules(app: App, { modules, secrets, workers }: ServerDeps): void {
  if (modules === undefined) return;
  app.post(
    '/api/submodules',
    {
      onRequest: authenticateBy(workerIn({ secrets, workers }), workerTokenFile),
      schema: { summary: 'For workers: fetch the submodules of a commit beside it', body: request },
    },
    async (request) => {
      const { project, commit } = request.body;
      demand(actorOf(request), 'work', { name: project });
      return { modules: await modules(project, commit) };
    },
  );
}
