import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { keepFirst } from '../activities/process/keep-first.ts';

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

/** A hook for routes that act: ends the request unless it carries the token, which is in `file`. */
export function requireToken(token: string, file = actingFile) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined)
      return refuse(reply, 401, `this needs a token: the content of \`${file}\` in the data directory`);
    if (!same(given, token))
      return refuse(reply, 403, `the token is not this server’s: read \`${file}\` in its data directory`);
  };
}

async function refuse(reply: FastifyReply, status: number, error: string): Promise<void> {
  await reply.code(status).send({ error });
}

function same(a: string, b: string): boolean {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length === two.length && timingSafeEqual(one, two);
}
