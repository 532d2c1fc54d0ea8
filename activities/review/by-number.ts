import type { Change } from '../../pipelines/model/change.ts';
import { HostAway } from '../outcome.ts';

/**
 * The open change that a bare number names, at hosts that number the changes of each project.
 *
 * @returns undefined for what is no number; null where no open change of the connection has it, or several have, and while
 *   the host is away: a number that another connection's change has needs not wait for this one
 */
export async function findByNumber(
  text: string,
  open: () => Promise<readonly Change[]>,
): Promise<Change | null | undefined> {
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const all = await open().catch((error: unknown) => {
    if (error instanceof HostAway) return [];
    throw error;
  });
  const [found, ...more] = all.filter(({ id }) => /[#!](\d+)$/.exec(id)?.[1] === text);
  return more.length > 0 ? null : (found ?? null);
}
