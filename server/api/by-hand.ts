import type { Readable } from 'node:stream';
import { z } from 'zod';
import { handRequest } from '../../pipelines/by-hand/request.ts';
import { answered, asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { authenticate } from '../token.ts';

const querystring = z.object({ request: z.string().min(1).describe('what is to be run, as JSON') });

/** Single stages that people have run on the workers. */
export function registerByHand(app: App, deps: Pick<ServerDeps, 'byHand' | 'token' | 'holder'>): void {
  const { byHand } = deps;
  if (byHand === undefined) return;
  void app.register((scope, _options, done) => {
    // What comes is streamed to where it belongs.
    scope.addContentTypeParser('application/x-tar', (_request, body, taken) => taken(null, body));
    (scope as unknown as App).post(
      '/api/by-hand',
      {
        onRequest: authenticate(deps),
        schema: { summary: 'Run a stage by hand, on what comes as a tar archive', querystring },
      },
      async (request, reply) => {
        const wanted = handRequest.safeParse(jsonIn(request.query.request));
        if (!wanted.success) {
          const [{ path, message } = { path: [], message: '' }] = wanted.error.issues;
          return reply.code(400).send({ error: `request: ${path.join('.')}: ${message}` });
        }
        const { data } = wanted;
        const platform = 'platform' in data && data.platform !== undefined ? { platform: data.platform } : {};
        const actor = asks(request, 'by-hand', { action: data.kind, ...platform });
        const begun = await byHand.begin(actor, data, request.body as Readable);
        answered(request, { build: begun.build });
        return reply.code(202).send(begun);
      },
    );
    done();
  });
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
