import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { type Delivery, isOccurrenceId } from '../../activities/review/port.ts';
import type { App } from '../fastify.ts';
import type { Answered, WebhookDeps } from './port.ts';

/** Bytes of a body. */
const bodyLimit = 25 * 1024 * 1024;
/** Bytes that are read of what is too large, and thrown away: who sends all before it listens hears the answer, too. */
const patience = 8 * bodyLimit;

interface Params {
  readonly name: string;
}

/** Where review systems post what has happened: answered once it is kept, handled later. */
export function registerWebhooks(app: App, deps: WebhookDeps): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request: unknown, body: Readable) => read(body));
    scope.post<{ Params: Params }>(
      '/api/connection/:name/payload',
      {
        schema: { summary: 'For review systems: something has happened' },
        onRequest: async ({ params: { name } }, reply) => {
          if (deps.webhook(name) !== null) return;
          await reply.code(404).send({ error: `there is no connection ${name} that takes webhooks` });
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const { answered, code, error } = await receive(deps, name, request);
        deps.count(name, answered);
        if (answered === 'unavailable') reply.header('retry-after', '10');
        return reply.code(code).send(error === undefined ? { ok: true } : { error });
      },
    );
  });
}

async function read(body: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      size += part.length;
      if (size > bodyLimit) parts.length = 0;
      else parts.push(part);
      if (size > patience) break;
    }
  } catch {
    throw refusal(400, 'the body ends too early');
  }
  if (size > bodyLimit) throw refusal(413, 'the body is too large: 25 MiB are taken');
  return Buffer.concat(parts);
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}

interface Answer {
  readonly answered: Answered;
  readonly code: number;
  readonly error?: string;
}

async function receive(deps: WebhookDeps, name: string, { headers, body, log }: Posted): Promise<Answer> {
  const webhook = deps.webhook(name);
  const delivery: Delivery = { headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) };
  if (webhook === null || !(await webhook.isSigned(delivery))) {
    return {
      answered: 'unsigned',
      code: 401,
      error: `the signature is missing, or not made with the secret of ${name}`,
    };
  }
  const content = parse(delivery.body);
  if (content === undefined) {
    return {
      answered: 'malformed',
      code: 400,
      error: 'the body is not JSON: set the content type to application/json',
    };
  }
  const reading = webhook.read(headers, content.value);
  if (reading.kind === 'unknown') return { answered: 'unknown', code: 202 };
  if (reading.kind === 'malformed') return { answered: 'malformed', code: 400, error: reading.reason };
  if (!isOccurrenceId(reading.occurrence.id)) {
    return { answered: 'malformed', code: 400, error: 'the delivery has no id of printable characters' };
  }
  try {
    const fresh = await deps.take(name, reading.occurrence);
    return { answered: fresh ? 'new' : 'known', code: 202 };
  } catch (error) {
    log.error({ connection: name, error }, 'cannot keep what a review system tells');
    return { answered: 'unavailable', code: 503, error: 'this cannot be kept now: post it again' };
  }
}

type Posted = Pick<FastifyRequest, 'headers' | 'body' | 'log'>;

function parse(body: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    return undefined;
  }
}
