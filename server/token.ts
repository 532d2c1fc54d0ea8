import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { keepFirst } from '../activities/files/write.ts';
import type { Actor } from '../pipelines/model/actor.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; absent before `authenticate` has said so. */
    actor?: Actor;
  }
}

/** What people act with: the command line and the Git hook read the same file. */
const actingFile = 'token';
/** What workers are given secrets for. */
export const workerTokenFile = 'worker-token';

/**
 * A token of a data directory, made at the first call: a file that only the owner can read, so that on a shared
 * machine others can look but not act.
 */
export async function readOrCreateToken(data: string, name = actingFile): Promise<string> {
  const path = join(data, name);
  await mkdir(data, { recursive: true });
  return (await keepFirst(path, randomBytes(32).toString('base64url'))).trim();
}

export interface TokenHolder {
  readonly token: string;
  readonly holder: Actor;
}

/** A hook for routes that act: ends the request unless it carries the token, which is in `file`. */
export function authenticate({ token, holder }: TokenHolder, file = actingFile) {
  return authenticateBy(async (given) => (same(given, token) ? holder : undefined), file);
}

/**
 * The same, for tokens of several holders.
 *
 * @param find whose token it is; undefined where it is nobody's
 */
export function authenticateBy(find: (token: string) => Promise<Actor | undefined>, file: string) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) {
      return challenge(
        reply,
        '',
        `this needs a token: the content of \`${file}\` in the data directory (the command line reads it from SLUICE_TOKEN)`,
      );
    }
    const holder = await find(given);
    if (holder === undefined) {
      const wrong = ', error="invalid_token"';
      return challenge(reply, wrong, `the token is not this server’s: read \`${file}\` in its data directory`);
    }
    request.actor = holder;
  };
}

/** Who asks on a route that `authenticate` guards. */
export function actorOf({ actor, url }: Pick<FastifyRequest, 'actor' | 'url'>): Actor {
  if (actor === undefined) throw new Error(`nobody was asked for a token at ${url}`);
  return actor;
}

/** As RFC 6750 has it: what is missing or wrong, and how to say who one is. */
async function challenge(reply: FastifyReply, fault: string, error: string): Promise<void> {
  await reply.code(401).header('www-authenticate', `Bearer realm="sluice"${fault}`).send({ error });
}

/** Whether two tokens are one, told in the same time whatever they are. */
export function same(a: string, b: string): boolean {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length === two.length && timingSafeEqual(one, two);
}
