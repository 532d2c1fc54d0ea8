import { EngineUnavailable } from '../engine-unavailable.ts';

const awayCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EACCES', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);

/**
 * Waits for an answer of the engine.
 *
 * @param what the request, for the error's text.
 * @throws EngineUnavailable when there is no answer, or the container has ended (an engine that restarts loses it).
 */
export async function ask<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (isAway(error)) throw EngineUnavailable.away(what, error);
    const gone = lostContainer(error);
    throw gone === undefined ? error : EngineUnavailable.ended(`the container ${gone}`);
  }
}

/** Like `ask`, for what may be gone already: answers with null when the engine knows no such thing, or removes it. */
export function askIfThere<T>(what: string, request: Promise<T>): Promise<T | null> {
  const ifThere = request.catch((error) => {
    if (statusOf(error) === 404 || isLeaving(error)) return null;
    throw error;
  });
  return ask(what, ifThere);
}

/** The id of the container that the engine knows no more, or that does not run any more. */
function lostContainer(error: unknown): string | undefined {
  const words = /No such container: (\w{12})|[Cc]ontainer (\w{12})\w* is (?:not running|marked for removal)/;
  const [, unknown, ended] = words.exec(String(error)) ?? [];
  return unknown ?? ended;
}

/** Somebody else has begun to remove it. */
function isLeaving(error: unknown): boolean {
  return /removal of container \S+ is already in progress|is marked for removal/.test(String(error));
}

/** HTTP status of the engine's refusal; undefined for any other error. */
function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function isAway(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && awayCodes.has(code)) return true;
  return typeof message === 'string' && /socket hang up|connection closed|context canceled/i.test(message);
}
