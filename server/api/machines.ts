import { z } from 'zod';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { authenticate } from '../token.ts';
import { unknownName } from './unknown-name.ts';

const which = z.object({ platform: z.string().min(1).max(500) });

/** Saved machines: what there is, and what people ask for. */
export function registerMachines(app: App, deps: ServerDeps): void {
  const { machines } = deps;
  if (machines === undefined) return;
  const onRequest = authenticate(deps);
  const known = (platform: string) => {
    if (machines.platforms.includes(platform)) return;
    throw unknownName('platform with `provider: vm`', platform, machines.platforms);
  };
  app.get('/api/machines', { schema: { summary: 'Snapshots of virtual machines' } }, () => machines.list());
  app.get('/api/machines/platforms', { schema: { summary: 'Platforms that have virtual machines' } }, async () => {
    return machines.platforms;
  });
  app.post(
    '/api/machines/prepare',
    { onRequest, schema: { summary: 'Prepare the machines of a platform anew', body: which } },
    async (request, reply) => {
      const { platform } = request.body;
      known(platform);
      await machines.prepare(asks(request, 'prepare', { platform }), platform);
      return reply.code(202).send({ platform });
    },
  );
  app.get(
    '/api/machines/preparation',
    { schema: { summary: 'How a preparation goes', querystring: which } },
    async ({ query: { platform } }) => {
      known(platform);
      return machines.preparation(platform);
    },
  );
  app.post(
    '/api/machines/expire',
    { onRequest, schema: { summary: 'Remove the snapshots that are over the limits' } },
    (request) => machines.expire(asks(request, 'expire')),
  );
}
