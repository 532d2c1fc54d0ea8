/** Nodes that somebody waits for: all of them at once, or none. */
export interface NodeRequest {
  readonly id: string;
  /** One label for each node. */
  readonly labels: readonly string[];
  /** Lower is served first. */
  readonly priority: number;
  /** Among requests of the same priority, the older one is served first. */
  readonly age: number;
}

/** A node in use, by its name `LABEL-N`. */
export interface Lease {
  readonly node: string;
  readonly label: string;
}

/** Label to the number of its nodes; one that is not named has as many as are asked for. */
export type Capacity = Readonly<Record<string, number>>;

/**
 * Serves requests in order of priority and age as far as the nodes go. A request that has to wait keeps the nodes of
 * its labels from the requests after it, so that it is not overtaken for ever; other labels go on.
 *
 * @returns for each request that is served, the nodes that it gets
 */
export function allocate(
  requests: readonly NodeRequest[],
  leases: readonly Lease[],
  capacity: Capacity,
): ReadonlyMap<string, readonly Lease[]> {
  const taken = new Set(leases.map((lease) => lease.node));
  const used = new Map<string, number>();
  for (const { label } of leases) used.set(label, (used.get(label) ?? 0) + 1);
  const blocked = new Set<string>();
  const served = new Map<string, readonly Lease[]>();
  const order = [...requests].sort((a, b) => a.priority - b.priority || a.age - b.age);
  for (const request of order) {
    if (!fits(request, { used, capacity, blocked })) {
      for (const label of request.labels) blocked.add(label);
      continue;
    }
    served.set(
      request.id,
      request.labels.map((label) => lease(label, { used, taken })),
    );
  }
  return served;
}

function fits(
  request: NodeRequest,
  now: {
    readonly used: ReadonlyMap<string, number>;
    readonly capacity: Capacity;
    readonly blocked: ReadonlySet<string>;
  },
): boolean {
  const wanted = new Map<string, number>();
  for (const label of request.labels) wanted.set(label, (wanted.get(label) ?? 0) + 1);
  return [...wanted].every(([label, count]) => {
    const limit = Object.hasOwn(now.capacity, label) ? (now.capacity[label] ?? 0) : Number.POSITIVE_INFINITY;
    return !now.blocked.has(label) && (now.used.get(label) ?? 0) + count <= limit;
  });
}

function lease(label: string, now: { readonly used: Map<string, number>; readonly taken: Set<string> }): Lease {
  now.used.set(label, (now.used.get(label) ?? 0) + 1);
  let number = 1;
  while (now.taken.has(`${label}-${number}`)) number += 1;
  const node = `${label}-${number}`;
  now.taken.add(node);
  return { node, label };
}
