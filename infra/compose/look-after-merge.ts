import type { EventRouter } from '../../server/events/router.ts';

/**
 * The look at a change that a gate has merged. What happens at Sluice's own host is found by looking, so it is waited
 * for; other hosts tell of a merge themselves, and the next merge need not wait until this one is told.
 */
export function lookAfterMerge(
  router: Pick<EventRouter, 'look'>,
  connections: readonly { readonly name: string; readonly served: boolean }[],
) {
  const served = new Set(connections.flatMap((one) => (one.served ? [one.name] : [])));
  return async (connection: string, change: string): Promise<void> => {
    const looked = router.look(connection, change);
    if (served.has(connection)) await looked;
    // The periodic sync finds what this one does not.
    else looked.catch(() => {});
  };
}
