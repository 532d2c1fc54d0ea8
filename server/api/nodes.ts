import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';

/** Nodes: who has which, and who waits for some. */
export function registerNodes(app: App, { nodes }: ServerDeps): void {
  if (nodes === undefined) return;
  app.get('/api/nodes', { schema: { summary: 'Who has which nodes, and who waits for some' } }, () => nodes.look());
}
