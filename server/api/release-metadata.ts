import { z } from 'zod';
import { extraKinds } from '../../pipelines/formats/rpm/extra-kinds.ts';
import { asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { authenticate } from '../token.ts';

const kind = z.enum(extraKinds);
const text = z.string().describe('unpacked');
const from = z.string().min(1).max(500).describe('what the file is called');
const asked = z
  .object({
    given: z.array(z.object({ kind, from, text })).max(extraKinds.length).default([]),
    remove: z.array(kind).default([]),
  })
  .refine(({ given, remove }) => given.length + remove.length > 0, 'give something, or name what is to go')
  .refine(
    ({ given, remove }) => new Set([...given.map((one) => one.kind), ...remove]).size === given.length + remove.length,
    'each kind once',
  );

/** Bytes: what a distribution of many years says of all its updates is some 50 MB. */
const bodyLimit = 128 * 1024 * 1024;

/** What released repositories say beside their packages. */
export function registerReleaseMetadata(app: App, deps: ServerDeps): void {
  const { giveMetadata } = deps;
  if (giveMetadata === undefined) return;
  app.post(
    '/api/releases/:repository/metadata',
    {
      onRequest: authenticate(deps),
      schema: {
        summary: 'Give a released repository advisories, groups or modules',
        params: z.object({ repository: z.string().min(1).max(200) }),
        body: asked,
      },
      bodyLimit,
    },
    async (request, reply) => {
      const { repository } = request.params;
      const actor = asks(request, 'release', { action: 'metadata', repository });
      const done = await giveMetadata(actor, repository, request.body);
      return reply.code('ok' in done ? 409 : 200).send(done);
    },
  );
}
