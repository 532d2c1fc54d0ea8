import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { BlobIntake } from '../../activities/storage/port.ts';
import type { App } from '../fastify.ts';
import { sendFile } from '../files/send-file.ts';
import type { Workers } from './port.ts';
import { mayWorkFor } from './rights.ts';

const params = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) });
const size = z.coerce.number().int().min(0);

/** Bytes of one payload: Temporal's own limit is far below. */
const mostOfPayload = 64 * 1024 * 1024;

/** Content by its digest, both ways: artifacts, and the large payloads of Temporal. */
export function registerContent(app: App, workers: Workers): void {
  const { blobs, payloads } = workers;
  const get = { schema: { summary: 'For workers: stored content', params } };
  app.get('/blobs/:digest', get, async (request, reply) => {
    const digest = `sha256:${request.params.digest}`;
    // Asking keeps it from being pruned.
    const content = (await blobs.has(digest)) ? await blobs.find(digest) : null;
    if (content === null) return reply.code(404).send({ error: `there is no content ${digest}` });
    return sendFile(request, reply, { content, type: 'application/octet-stream' });
  });
  app.get('/payloads/:digest', get, async (request, reply) => {
    const content = await payloads.find(`sha256:${request.params.digest}`);
    if (content === null) return reply.code(404).send({ error: `there is no payload ${request.params.digest}` });
    return sendFile(request, reply, { content, type: 'application/octet-stream' });
  });
  const blob = z.object({ size, build: z.string().min(1) });
  app.put(
    '/blobs/:digest',
    { schema: { summary: 'For workers: store what a build made', params, querystring: blob } },
    async (request, reply) => {
      const { size, build } = request.query;
      const limit = Math.max(...(await workers.settings()).platforms.map(({ limits }) => limits.diskMiB)) * 1024 * 1024;
      if (!(await mayWorkFor(workers, { request, reply }, { build }))) return reply;
      return take({ request, reply }, blobs, { digest: request.params.digest, size, limit });
    },
  );
  const payload = z.object({ size, workflow: z.string().min(1) });
  app.put(
    '/payloads/:digest',
    { schema: { summary: 'For workers: store a large payload of a job', params, querystring: payload } },
    async (request, reply) => {
      const { size, workflow } = request.query;
      if (!(await mayWorkFor(workers, { request, reply }, { workflow }))) return reply;
      return take({ request, reply }, payloads, { digest: request.params.digest, size, limit: mostOfPayload });
    },
  );
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function take(
  { request, reply }: Exchange,
  intake: BlobIntake,
  { digest, size, limit }: { readonly digest: string; readonly size: number; readonly limit: number },
) {
  if (size > limit) return reply.code(413).send({ error: `${size} bytes are more than ${limit} (limits.diskMiB)` });
  await intake.take(request.body as Readable, { digest: `sha256:${digest}`, size });
  return reply.code(204).send();
}
