import type { Change } from '../../pipelines/model/change.ts';
import { HostAway, isAway, reasonOf } from '../outcome.ts';
import type { ReviewHost } from './port.ts';

type Host = Pick<ReviewHost, 'connection' | 'listOpenChanges'>;

/**
 * The open change that a bare number names, at hosts that number the changes of each project.
 *
 * @returns undefined for what is no number; null where no open change of the connection has it, or several have
 * @throws HostAway
 */
export async function findByNumber(
  text: string,
  { connection, listOpenChanges }: Host,
): Promise<Change | null | undefined> {
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const all = await listOpenChanges().catch((error: unknown) => {
    if (!isAway(error)) throw error;
    throw new HostAway(`${connection} cannot say whether it has a change ${text}: ${reasonOf(error)}`, {
      cause: error,
    });
  });
  const [found, ...more] = all.filter(({ id }) => /[#!](\d+)$/.exec(id)?.[1] === text);
  return more.length > 0 ? null : (found ?? null);
}
