import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../pipelines/model/actor.ts';
import { bounded } from '../pipelines/model/words.ts';
import type { Operation } from '../pipelines/policy/access.ts';
import type { Act, ActAbout } from '../pipelines/policy/act.ts';
import type { ServerDeps } from './deps.ts';
import type { App } from './fastify.ts';
import type { Acts } from './port.ts';
import { actorOf } from './token.ts';

/** What a request asks for, as far as it is known. */
type Asked = Pick<Act, 'operation' | 'changes' | 'about'> & { readonly time: number };

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

type Came = Pick<Act, 'outcome' | 'reason'>;

/** Keeps what people ask for, and what came of it, before they are told. */
export function keepActs(app: App, { store }: Pick<ServerDeps, 'store'>): void {
  app.addHook('onSend', async (request, reply, payload) => {
    const { asked, actor, log } = request;
    await keep(store.acts, { asked, actor, log }, outcomeOf(reply, payload));
    return payload;
  });
}

/**
 * For routes whose answer begins long before it is known what comes of it: what is asked there is kept when that is said,
 * and at the latest when the server stops. To be called before the server listens.
 */
export function keepAtEnd(app: App, { store }: Pick<ServerDeps, 'store'>) {
  const going = new Set<(came: Came) => Promise<void>>();
  app.addHook('onClose', async () => {
    const came = { outcome: 'failed', reason: 'the server was stopped before it had ended' } as const;
    await Promise.all([...going].map((end) => end(came)));
  });
  return (request: FastifyRequest): ((came: Came) => Promise<void>) => {
    const { asked, actor, log } = request;
    delete request.asked;
    const end = async (came: Came) => {
      if (going.delete(end)) await keep(store.acts, { asked, actor, log }, came);
    };
    going.add(end);
    return end;
  };
}

interface Asking extends Pick<FastifyRequest, 'log'> {
  readonly asked: Asked | undefined;
  readonly actor: Actor | undefined;
}

async function keep(acts: Acts, { asked, actor: by, log }: Asking, came: Came): Promise<void> {
  if (asked === undefined || by === undefined) return;
  try {
    await acts.add({ id: randomUUID(), by, ...asked, ...came });
  } catch (error) {
    // It was done, or refused, all the same.
    log.error({ error, asked, by: by.name }, 'the audit log could not be written');
  }
}

function outcomeOf(reply: FastifyReply, payload: unknown): Came {
  const { statusCode } = reply;
  if (statusCode < 400) return { outcome: 'done', reason: '' };
  const { error, reason } = parsed(payload);
  const outcome = statusCode < 500 ? 'refused' : 'failed';
  return { outcome, reason: bounded(String(reason ?? error ?? `status ${statusCode}`)) };
}

function parsed(payload: unknown): Readonly<Record<string, unknown>> {
  return typeof payload === 'string' && payload.startsWith('{') ? JSON.parse(payload) : {};
}
