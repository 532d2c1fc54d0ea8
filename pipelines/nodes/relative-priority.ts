/** Where a job's change stands: which queue it is in (a shared one, or its project's), and the number of its item there. */
export interface ItemPlace {
  readonly queue: string;
  /** Lower entered the queue earlier. */
  readonly item: number;
}

interface Request {
  readonly priority: number;
  /** Absent: it stands alone, and nobody is ahead of it. */
  readonly place?: ItemPlace | undefined;
}

/**
 * The order of Zuul's `relative_priority`: by the pipeline's precedence, then by how many items of the same queue are
 * ahead that have nodes or wait for some, then as they were. So the first change of each queue is served before the
 * second of any.
 *
 * @param waiting by precedence, and of one precedence the oldest first
 * @param holding those who have nodes
 */
export function byRelativePriority<R extends Request>(waiting: readonly R[], holding: readonly Request[]) {
  const ahead = itemsAhead([...waiting, ...holding]);
  const relative = new Map(waiting.map((one) => [one, one.place === undefined ? 0 : coarse(ahead(one.place))]));
  return waiting.toSorted((a, b) => a.priority - b.priority || (relative.get(a) ?? 0) - (relative.get(b) ?? 0));
}

/** Items that are counted one by one, then by tens, then by hundreds: the places in long queues change seldom. */
export function coarse(ahead: number): number {
  if (ahead < 10) return ahead;
  const step = ahead < 100 ? 10 : 100;
  return Math.floor(ahead / step) * step;
}

/** How many items of its queue are ahead of an item, of those that these requests are for. */
function itemsAhead(requests: readonly Request[]): (place: ItemPlace) => number {
  const queues = new Map<string, Set<number>>();
  for (const { place } of requests) {
    if (place === undefined) continue;
    const items = queues.get(place.queue) ?? new Set();
    queues.set(place.queue, items.add(place.item));
  }
  const ranks = new Map(
    [...queues].map(([queue, items]) => {
      const order = [...items].sort((a, b) => a - b);
      return [queue, new Map(order.map((item, rank) => [item, rank]))] as const;
    }),
  );
  return ({ queue, item }) => ranks.get(queue)?.get(item) ?? 0;
}
