import type { Logger } from 'pino';
import { readNotice } from '../../activities/review/git/ingest.ts';
import type { Connection } from '../../activities/review/registry.ts';
import type { EventRouter } from '../../server/events/router.ts';
import { createDoor } from '../../server/ingest/door.ts';
import { startDrain } from '../../server/ingest/drain.ts';
import type { HookNotice } from '../../server/port.ts';
import type { Store } from '../store/store.ts';

export interface IngestDeps {
  readonly store: Pick<Store, 'occurrences'>;
  readonly connections: readonly (Pick<Connection, 'webhook'> & { readonly name: string })[];
  readonly router: Pick<EventRouter, 'hear'>;
  readonly logger: Logger;
}

/** The way in for what review systems tell: kept before it is answered for, handed on in order. */
export function startIngest({ store, connections, router, logger }: IngestDeps) {
  const drain = startDrain({
    store: store.occurrences,
    connections: connections.map(({ name }) => name),
    hand: (connection, occurrence, mayTell) => router.hear(connection, occurrence, { mayTell }),
    warn: (about, message) => logger.warn(about, message),
  });
  const take = createDoor(store.occurrences, drain.wake);
  const find = (name: string) => connections.find((each) => each.name === name);
  return {
    take,
    webhook: (name: string) => find(name)?.webhook ?? null,
    async intake({ connection, ...notice }: HookNotice): Promise<void> {
      if (find(connection) !== undefined && notice.changes.length > 0) await take(connection, readNotice(notice));
    },
    stop: drain.stop,
  };
}
