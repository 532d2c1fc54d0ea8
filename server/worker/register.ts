import type { FastifyInstance } from 'fastify';
import { demand } from '../../pipelines/policy/access.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticateBy } from '../token.ts';
import { registerContent } from './content.ts';
import { registerGit } from './git.ts';
import { registerLogs } from './logs.ts';
import { actorIn, workersDirectory } from './rights.ts';
import { registerReleased, registerTrees } from './trees.ts';

/** All that workers on other machines ask for: with a token each, and writing for the builds alone that they run. */
export async function registerWorkers(app: FastifyInstance, { workers }: Pick<ServerDeps, 'workers'>): Promise<void> {
  if (workers === undefined) return;
  await app.register(
    (scope, _options, done) => {
      const inside = scope as unknown as App;
      inside.addHook('onRequest', authenticateBy(actorIn(workers), `${workersDirectory}/NAME`));
      inside.addHook('onRequest', async (request) => demand(actorOf(request), 'work', { name: request.url }));
      // Bytes are streamed to where they belong.
      for (const type of ['application/octet-stream', 'application/x-git-upload-pack-request']) {
        inside.addContentTypeParser(type, (_request, body, done) => done(null, body));
      }
      inside.get(
        '/settings',
        { schema: { summary: 'For workers: what they need of the configuration' } },
        async (request) => ({
          name: actorOf(request).name,
          ...(await workers.settings()),
        }),
      );
      for (const register of [registerContent, registerLogs, registerTrees, registerReleased, registerGit])
        register(inside, workers);
      done();
    },
    { prefix: '/api/worker' },
  );
}
