import type { FailedAction } from '../workflows/contract.ts';

/** System errors that say that somebody cannot be reached, or that this machine has no room: nothing about an action. */
const elsewhere = new Set(
  ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'].concat([
    ...['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EROFS', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'],
  ]),
);

/** A host that cannot be reached, or does not answer as hosts do: nothing is known of what was asked, waiting mends it. */
export class HostAway extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HostAway';
  }
}

/** Does an action's work. @returns what went wrong; undefined when nothing did */
export async function failureOf(key: string, work: () => Promise<unknown>): Promise<FailedAction | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { key, failed: isAway(error) ? 'away' : 'refused', reason: reasonOf(error) };
  }
}

/** What an error says, on one line. */
export function reasonOf(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return line.slice(0, 500);
}

/** Whether the error, or one that caused it, is about the way there. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, name } = error as NodeJS.ErrnoException;
  return error instanceof HostAway || name === 'HostAway' || elsewhere.has(code ?? '') || isAway(error.cause);
}
