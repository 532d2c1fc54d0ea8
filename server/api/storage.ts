import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { requireToken } from '../token.ts';

/** What `sluice prune` asks before it removes anything. */
export function registerStorage(app: App, deps: ServerDeps): void {
  app.post(
    '/api/storage/in-use',
    { preHandler: requireToken(deps.token), schema: { summary: 'Write down what stored content is in use' } },
    async () => ({ time: await deps.listInUse() }),
  );
}
