import type { Stream } from '../../activities/review/port.ts';
import type { EventRouter } from '../../server/events/router.ts';

/**
 * The look at a change that a gate has merged. What happens at Sluice's own host is found by looking, so it is waited
 * for; other hosts tell of a merge themselves, and the next merge need not wait until this one is told. Where a stream
 * is heard just now there is nothing to look for: it tells of the merge, or looks at what it missed when it is back.
 */
export function lookAfterMerge(
  router: Pick<EventRouter, 'look'>,
  connections: readonly {
    readonly name: string;
    readonly served: boolean;
    readonly stream: Pick<Stream, 'isHeard'> | null;
  }[],
) {
  const served = new Set(connections.flatMap((one) => (one.served ? [one.name] : [])));
  const streams = new Map(connections.map(({ name, stream }) => [name, stream]));
  return async (connection: string, change: string): Promise<void> => {
    if (streams.get(connection)?.isHeard?.()) return;
    const looked = router.look(connection, change);
    if (served.has(connection)) await looked;
    // The periodic sync finds what this one does not.
    else looked.catch(() => {});
  };
}
