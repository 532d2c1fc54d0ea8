import { demand } from '../../pipelines/policy/access.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticate } from '../token.ts';

/** What `sluice prune` asks before it removes anything. */
export function registerStorage(app: App, deps: ServerDeps): void {
  const schema = { summary: 'Write down what stored content is in use' };
  app.post('/api/storage/in-use', { onRequest: authenticate(deps), schema }, async (request) => {
    demand(actorOf(request), 'notify', { name: 'what is in use' });
    return { time: await deps.listInUse() };
  });
}
