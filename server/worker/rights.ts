import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../pipelines/model/actor.ts';
import type { ServerDeps } from '../deps.ts';
import { actorOf, same } from '../token.ts';
import type { Workers } from './port.ts';

/** In the data directory: a token for each worker on another machine, by the worker's name. */
export const workersDirectory = 'workers';

/** Whose token one is, as somebody who may ask. */
export function actorIn({ find }: Pick<Workers, 'find'>) {
  return async (token: string) => {
    const name = await find(token);
    return name === undefined ? undefined : ({ name, kind: 'worker', via: 'token' } as const);
  };
}

/** The worker of the server's own machine. */
export const nearWorker: Actor = { name: 'worker', kind: 'worker', via: 'token' };

/** The same for workers on any machine. */
export function workerIn({ secrets, workers }: { secrets: ServerDeps['secrets']; workers: Workers | undefined }) {
  const elsewhere = workers === undefined ? async () => undefined : actorIn(workers);
  return async (token: string) => (same(token, secrets.token) ? nearWorker : elsewhere(token));
}

/** Ends a request that is about work which the worker does not have. @returns whether it may go on */
export async function mayWorkFor(
  { runs }: Pick<Workers, 'runs'>,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  what: Parameters<Workers['runs']>[1],
): Promise<boolean> {
  const { name } = actorOf(request);
  if (await runs(name, what)) return true;
  const work = 'build' in what ? `build ${what.build}` : `job ${what.workflow}`;
  await reply
    .code(403)
    .send({ error: `the worker ${name} does not run the ${work}: what it may do is for its own builds alone` });
  return false;
}
