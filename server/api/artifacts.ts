import { z } from 'zod';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { sendFile, typeOf } from '../files/send-file.ts';

const params = z.object({
  digest: z
    .string()
    .regex(/^(sha256:)?[0-9a-f]{64}$/)
    .describe('SHA-256, in hexadecimal'),
  name: z.string().describe('what the file is to be called'),
});

/** Content by its digest: the same under one URL for ever. */
export function registerArtifacts(app: App, deps: ServerDeps): void {
  const schema = { summary: 'An artifact’s content', params };
  app.get('/api/artifacts/:digest/:name', { schema }, async (request, reply) => {
    const digest = `sha256:${request.params.digest.replace(/^sha256:/, '')}`;
    const etag = digest.slice('sha256:'.length);
    if (request.headers['if-none-match'] === `"${etag}"`) return reply.code(304).send();
    const content = await deps.blobs.find(digest);
    if (content === null) {
      return reply.code(404).send({ error: `there is no artifact ${digest}: it may have been pruned` });
    }
    return sendFile(request, reply, { content, type: typeOf(request.params.name), etag, immutable: true });
  });
}
