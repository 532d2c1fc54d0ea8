import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { App } from '../fastify.ts';
import type { Workers } from './port.ts';
import { mayWorkFor } from './rights.ts';

const params = z.object({ build: z.string(), name: z.string() });
const querystring = z.object({
  do: z.enum(['begin', 'write', 'end']),
  position: z.coerce.number().int().min(0).optional(),
});

/** Bytes of one part. */
const most = 1024 * 1024;

/** Logs of builds, in parts that say where they belong: what comes twice is written once. */
export function registerLogs(app: App, workers: Workers): void {
  const schema = { summary: 'For workers: begin a log, write a part of it, end it', params, querystring };
  app.post('/builds/:build/logs/:name', { schema }, async (request, reply) => {
    const { params: log, query, body } = request;
    if (!(await mayWorkFor(workers, { request, reply }, { build: log.build }))) return reply;
    if (query.do === 'begin') return { size: await workers.logs.begin(log) };
    if (query.do === 'end') await workers.logs.end(log);
    else {
      if (Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) > most) {
        return reply.code(413).send({ error: `a part of a log may have ${most} bytes, and says how many` });
      }
      const bytes = await buffer(body as Readable);
      await workers.logs.write(log, { position: query.position ?? 0, bytes });
    }
    return reply.code(204).send();
  });
}
