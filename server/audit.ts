import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../pipelines/model/actor.ts';
import type { Operation } from '../pipelines/policy/access.ts';
import type { Act, ActAbout } from '../pipelines/policy/act.ts';
import { bounded } from '../pipelines/report/words.ts';
import type { ServerDeps } from './deps.ts';
import type { App } from './fastify.ts';
import type { Acts } from './port.ts';
import { actorOf } from './token.ts';

/** What a request asks for, as far as it is known. */
export type Asked = Pick<Act, 'operation' | 'changes' | 'about'> & { readonly time: number };

declare module 'fastify' {
  interface FastifyRequest {
    /** What is kept of it; absent where it asks for nothing that people do. */
    asked?: Asked;
  }
}

/**
 * Who asks, on a route that `authenticate` guards; that it was asked, and what came of it, is kept in the audit log.
 *
 * @param what names alone: nothing that may be secret
 */
export function asks(
  request: FastifyRequest,
  operation: Operation,
  { changes = [], ...about }: ActAbout & { readonly changes?: readonly string[] } = {},
): Actor {
  request.asked = { time: Date.now(), operation, changes, about };
  return actorOf(request);
}

/** Adds to what is kept of a request what only its answer says. */
export function answered(request: FastifyRequest, about: ActAbout): void {
  if (request.asked !== undefined) request.asked = { ...request.asked, about: { ...request.asked.about, ...about } };
}

/** Keeps a reload that a signal has asked for, which only who runs the server can send. */
export async function keepSignal(acts: Acts, by: Actor, refused: string | undefined): Promise<void> {
  const came = { outcome: refused === undefined ? 'done' : 'refused', reason: bounded(refused ?? '') } as const;
  await acts.add({ ...came, id: randomUUID(), time: Date.now(), by, operation: 'reload', changes: [], about: {} });
}

/** Keeps what people ask for, and what came of it, before they are told. */
export function keepActs(app: App, { store }: Pick<ServerDeps, 'store'>): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const { asked, actor } = request;
    if (asked === undefined || actor === undefined) return payload;
    try {
      await store.acts.add({ id: randomUUID(), by: actor, ...asked, ...outcomeOf(reply, payload) });
    } catch (error) {
      // It was done, or refused, all the same.
      request.log.error({ error, asked, by: actor.name }, 'the audit log could not be written');
    }
    return payload;
  });
}

function outcomeOf(reply: FastifyReply, payload: unknown): Pick<Act, 'outcome' | 'reason'> {
  const { statusCode } = reply;
  if (statusCode < 400) return { outcome: 'done', reason: '' };
  const { error, reason } = parsed(payload);
  const outcome = statusCode < 500 ? 'refused' : 'failed';
  return { outcome, reason: bounded(String(reason ?? error ?? `status ${statusCode}`)) };
}

function parsed(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === 'string' && payload.startsWith('{') ? JSON.parse(payload) : {};
}
