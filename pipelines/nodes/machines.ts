/** A machine that there is, and that is lent as it is. */
export interface GivenMachine {
  readonly name: string;
  /** Labels of nodes that it serves. */
  readonly labels: readonly string[];
  /** Why it is out of service; absent: it is not. */
  readonly out?: string;
}

/** A machine of a lease, and the label of the node that it stands for. */
export interface AssignedMachine {
  readonly label: string;
  readonly name: string;
  /** Of one that stood ready: milliseconds that it took to make it. */
  readonly took?: number;
}

/**
 * Finds a machine for each label, each machine once: augmenting paths of bipartite matching (Kuhn). Machines of few
 * labels come first, so that those that can serve most stay free.
 *
 * @returns one for each label, in their order; null where that is not possible
 */
export function assignMachines(
  labels: readonly string[],
  free: readonly GivenMachine[],
): readonly AssignedMachine[] | null {
  const order = [...free].sort((a, b) => a.labels.length - b.labels.length);
  const nodeOf = new Map<string, number>();
  const place = (node: number, seen: Set<string>): boolean => {
    for (const { name, labels: served } of order) {
      if (seen.has(name) || !served.includes(labels[node] ?? '')) continue;
      seen.add(name);
      const other = nodeOf.get(name);
      if (other !== undefined && !place(other, seen)) continue;
      nodeOf.set(name, node);
      return true;
    }
    return false;
  };
  for (const node of labels.keys()) if (!place(node, new Set())) return null;
  return [...nodeOf].sort(([, a], [, b]) => a - b).map(([name, node]) => ({ label: labels[node] ?? '', name }));
}

interface Labelled {
  readonly label?: string;
}

/**
 * Serves requests in order with machines that nobody has been lent. One that waits keeps the machines of its labels from
 * all behind it.
 */
export function serveWithMachines<R extends { readonly sizes: readonly Labelled[] }>(
  machines: readonly GivenMachine[],
  there: { readonly waiting: readonly R[]; readonly leases: readonly { machines?: readonly AssignedMachine[] }[] },
): readonly (R & { readonly machines: readonly AssignedMachine[] })[] {
  const lent = new Set(there.leases.flatMap((lease) => (lease.machines ?? []).map(({ name }) => name)));
  let free = machines.filter(({ name, out }) => out === undefined && !lent.has(name));
  return there.waiting.flatMap((request) => {
    const labels = labelsOf(request.sizes);
    const assigned = assignMachines(labels, free);
    const taken = (machine: GivenMachine) =>
      assigned === null
        ? machine.labels.some((label) => labels.includes(label))
        : assigned.some(({ name }) => name === machine.name);
    free = free.filter((machine) => !taken(machine));
    return assigned === null ? [] : [{ ...request, machines: assigned }];
  });
}

/** The labels of machines, in order. */
export function labelsOf(sizes: readonly Labelled[]): readonly string[] {
  return sizes.map(({ label = '' }) => label);
}

/** Why there are too few machines for these labels however long one waits; null when there are enough. */
export function tooFewMachines(labels: readonly string[], machines: readonly GivenMachine[]): string | null {
  const able = machines.filter(({ out }) => out === undefined);
  if (assignMachines(labels, able) !== null) return null;
  const counts = [...Map.groupBy(labels, (label) => label)].map(
    ([label, { length }]) => `${length} of ${able.filter((one) => one.labels.includes(label)).length} ${label}`,
  );
  const away = machines
    .filter(({ out, labels: served }) => out !== undefined && served.some((label) => labels.includes(label)))
    .map(({ name, out }) => `${name} is out of service: ${out}`);
  return [counts.join(', '), ...away].join('; ');
}
