import { Readable } from 'node:stream';
import { handWork } from '../../pipelines/by-hand/request.ts';
import { answered, asks } from '../audit.ts';
import type { ServerDeps } from '../deps.ts';
import type { App } from '../fastify.ts';
import { actorOf, authenticate } from '../token.ts';

/** Bytes of a request: names of a thousand submodules are no more. */
const bodyLimit = 1024 * 1024;

/** Milliseconds without a byte after which whoever sends is taken for gone. */
const silence = 60_000;

/** Single stages that people have run on the workers. */
export function registerByHand(app: App, deps: Pick<ServerDeps, 'byHand' | 'token' | 'holder'>): void {
  const { byHand } = deps;
  if (byHand === undefined) return;
  const schema = { summary: 'Run a stage by hand, on content that was sent before', body: handWork };
  app.post('/api/by-hand', { bodyLimit, onRequest: authenticate(deps), schema }, async (request, reply) => {
    const { kind, ...wanted } = request.body.request;
    const platform = 'platform' in wanted && wanted.platform !== undefined ? { platform: wanted.platform } : {};
    const actor = asks(request, 'by-hand', { action: kind, ...platform });
    const begun = await byHand.begin(actor, request.body);
    answered(request, { build: begun.build });
    return reply.code(202).send(begun);
  });
  void app.register((scope, _options, done) => {
    // What comes is streamed to where it belongs.
    scope.addContentTypeParser('application/x-tar', (_request, body, taken) => taken(null, body));
    (scope as unknown as App).post(
      '/api/by-hand/content',
      { onRequest: authenticate(deps), schema: { summary: 'Send what a stage is to work on, as a tar archive' } },
      async (request, reply) => {
        const { body, raw } = request;
        if (!(body instanceof Readable)) return reply.code(415).send({ error: 'send application/x-tar' });
        raw.setTimeout(silence, () => raw.destroy(new Error('nothing came for a minute')));
        raw.once('end', () => raw.setTimeout(0));
        return reply.code(201).send(await byHand.take(actorOf(request), body));
      },
    );
    done();
  });
}
