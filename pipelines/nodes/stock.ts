import { type Capacity, excess, lentBy, type ReadyWish, withMachines } from './capacity.ts';
import { type OnHosts, placeForReady } from './hosts.ts';
import { type ReadyNode, type Stock, sizesOf } from './ready.ts';

/** What of a desk decides about nodes that are to stand ready. */
interface Desk extends Pick<OnHosts, 'leases'> {
  readonly capacity: Capacity;
  readonly waiting: readonly unknown[];
  readonly ready?: readonly ReadyNode[];
  readonly closed?: boolean;
}

/** What is made for nobody yet, and what stands in the way of more. */
export function stockOf({ ready = [], capacity, waiting, closed, leases }: Desk): Stock {
  const { hosts, ready: wishes = [] } = capacity;
  const others = closed === true || waiting.length > 0;
  if (hosts !== undefined) {
    const shut = new Set(hosts.filter((host) => host.shut !== undefined && !host.soon).map(({ queue }) => queue));
    const there = new Set(hosts.map(({ queue }) => queue));
    const serves = (queue: string) => there.has(queue) && !shut.has(queue);
    return {
      ready,
      wishes,
      serves,
      placeFor: (wish, beside) => placeForReady(hosts, { leases, ready: beside }, wish),
      others,
    };
  }
  const lent = lentBy(leases);
  const placeFor = ({ size, queue }: ReadyWish, beside: readonly ReadyNode[]) => {
    const usage = withMachines(lent, [...sizesOf(beside), size]);
    return excess(usage, capacity).length === 0 ? queue : undefined;
  };
  return { ready, wishes, serves: () => true, placeFor, others };
}

/** Whether the machine of a task queue is known not to answer: whatever is asked there would be waited for in vain. */
export function isAway({ capacity }: Pick<Desk, 'capacity'>, queue: string): boolean {
  return capacity.hosts?.find((host) => host.queue === queue)?.away === true;
}

/** Whether a task queue is that of a host which is not configured any more. */
export function isLeft({ capacity: { hosts, queue: own } }: Pick<Desk, 'capacity'>, queue: string): boolean {
  if (hosts === undefined) return own !== undefined && own !== queue;
  return hosts.every((host) => host.queue !== queue);
}
