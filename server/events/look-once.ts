import type { Happened, ReviewHost, SeenChange } from '../../activities/review/port.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { HostedChanges } from './hosted-changes.ts';
import type { handledEvents } from './ledger.ts';

/** A change, and what has happened to it since it was looked at before. */
export interface Looked extends Pick<Happened, 'events' | 'last'> {
  readonly change: Change;
  /** Number of the last event that was handled. */
  readonly after: number;
  /** What the host has said of the change with its events. */
  readonly seen?: SeenChange;
}

interface LookDeps {
  readonly host: ReviewHost;
  readonly changes: Pick<HostedChanges, 'readIn' | 'stale' | 'note' | 'resolved'>;
  readonly handled: ReturnType<typeof handledEvents>;
}

/**
 * Reads what has happened to a change since the last look. The change is read after its events, or with them: else a vote
 * that came in between would be told of a change that does not have it.
 *
 * @returns null where nothing has happened, or there is no such change
 */
export async function lookOnce({ host, changes, handled }: LookDeps, name: string): Promise<Looked | null> {
  const { connection } = host;
  const known = handled.known(name);
  const found = known === undefined ? await changes.readIn(connection, name) : undefined;
  if (found === null) return null;
  const id = found?.id ?? name;
  const after = known ?? (await handled.last(id, (from) => host.readEvents(id, from)));
  const { events, last, seen } = await happened(host, id, after);
  if (seen === undefined) changes.stale(connection);
  if (events.length === 0) return null;
  const read = seen === undefined ? await changes.readIn(connection, id) : await seen.readChange();
  const change = read ? await changes.resolved(read) : found;
  if (!change) return null;
  if (seen !== undefined) changes.note(change);
  return { change, after, events, last, ...(seen === undefined ? {} : { seen }) };
}

/** What was known once may be gone since. */
async function happened(host: ReviewHost, change: string, after: number): Promise<Happened> {
  try {
    return await host.readEvents(change, after);
  } catch (error) {
    if (error instanceof Error && error.name === 'UnknownChange') return { events: [], last: after };
    throw error;
  }
}
