import {
  type Capacity,
  excess,
  type HostRoom,
  lentBy,
  nothing,
  type ReadyWish,
  type Size,
  type Usage,
  withMachines,
} from './capacity.ts';
import { makeRoom, type ReadyNode, sizesOf, takeReady } from './ready.ts';

/** What there is on hosts: what is lent, and what stands ready. */
export interface OnHosts {
  readonly leases: readonly { readonly sizes: readonly Size[]; readonly queue: string }[];
  readonly ready: readonly ReadyNode[];
}

/** Where a request is served, with what stood ready there for it. */
interface Placement {
  readonly host: HostRoom;
  readonly taken: readonly ReadyNode[];
}

interface Wish {
  readonly sizes: readonly Size[];
  /** Name of the only host that will do; absent: any. */
  readonly on?: string | undefined;
}

/** The hosts that will do for a request. */
export function hostsFor<H extends Pick<HostRoom, 'name'>>(hosts: readonly H[], on: Wish['on']): readonly H[] {
  return on === undefined ? hosts : hosts.filter(({ name }) => name === on);
}

/** Serves requests in order, each on one host, as far as there is room; what stands ready in the way of the next leaves. */
export function serveOnHosts<R extends Wish>(hosts: readonly HostRoom[], waiting: readonly R[], there: OnHosts) {
  const served: (R & Placement & { readonly queue: string })[] = [];
  let { ready } = there;
  for (const request of waiting) {
    const now = { leases: [...there.leases, ...served], ready };
    const place = chooseHost(hosts, now, request);
    if (place === null) return { served, ready: makeRoomOn(hosts, now, request) };
    served.push({ ...request, ...place, queue: place.host.queue });
    ready = ready.filter((node) => !place.taken.includes(node));
  }
  return { served, ready };
}

/**
 * Chooses the host for a request: one where most of its nodes stand ready, of these the one with most servers left.
 *
 * @returns null where none has room
 */
function chooseHost(hosts: readonly HostRoom[], there: OnHosts, { sizes, on }: Wish): Placement | null {
  const able = hostsFor(hosts, on)
    .filter(({ shut }) => shut === undefined)
    .flatMap((host) => {
      const { taken, left } = takeReady({ sizes, queue: host.queue }, there.ready);
      const usage = withMachines(usageOn(host, { ...there, ready: left }), sizes);
      const free = (host.maxServers ?? Infinity) - usage.servers;
      return excess(usage, host).length > 0 ? [] : [{ host, taken, free }];
    });
  const [best] = able.sort((a, b) => b.taken.length - a.taken.length || b.free - a.free || 0);
  return best ?? null;
}

/**
 * Chooses the host for one more node that is to stand ready: that with most servers left.
 *
 * @returns its task queue; undefined where none has room
 */
export function placeForReady(
  hosts: readonly HostRoom[],
  there: OnHosts,
  { size, queue }: Pick<ReadyWish, 'size' | 'queue'>,
): string | undefined {
  const able = hosts
    .filter((host) => host.shut === undefined && (queue === undefined || host.queue === queue))
    .map((host) => ({ host, usage: withMachines(usageOn(host, there), [size]) }))
    .filter(({ host, usage }) => excess(usage, host).length === 0);
  const left = ({ host, usage }: (typeof able)[number]) => (host.maxServers ?? Infinity) - usage.servers;
  return able.sort((a, b) => left(b) - left(a) || 0)[0]?.host.queue;
}

/** Gives up what stands ready in the way of a request, on the first host where that makes room. */
function makeRoomOn(hosts: readonly HostRoom[], there: OnHosts, { sizes, on }: Wish): readonly ReadyNode[] {
  for (const host of hostsFor(hosts, on)) {
    const [here, elsewhere] = [true, false].map((is) =>
      there.ready.filter(({ queue }) => (queue === host.queue) === is),
    );
    if (host.shut !== undefined || here === undefined || here.length === 0) continue;
    const { taken, left } = takeReady({ sizes, queue: host.queue }, here);
    const usage = withMachines(usageOn(host, { ...there, ready: [] }), sizes);
    const made = makeRoom(left, usage, host);
    if (made !== left) return [...(elsewhere ?? []), ...taken, ...made];
  }
  return there.ready;
}

/** Why no host ever has room for machines, of those that are there or come back soon; null where one has. */
export function neverOnHosts({ sizes, on }: Wish, hosts: readonly HostRoom[]): string | null {
  const able = hostsFor(hosts, on);
  if (able.length === 0) return `there is no host ${on}`;
  const reasons = able.map((host) => {
    const over = excess(withMachines(nothing, sizes), host);
    if (over.length > 0) return `${host.name}: ${over.join(', ')}`;
    return host.shut === undefined || host.soon ? null : `${host.name}: ${host.shut}`;
  });
  return reasons.includes(null) ? null : reasons.join('; ');
}

/** What all hosts have together; what one of them does not limit is not limited. */
export function totalOf(hosts: readonly HostRoom[]): Pick<Capacity, 'maxServers' | 'maxCores' | 'maxRamGb'> {
  const sum = (of: 'maxServers' | 'maxCores' | 'maxRamGb') =>
    hosts.reduce<number | undefined>((all, host) => {
      const one = host[of];
      return all === undefined || one === undefined ? undefined : all + one;
    }, 0);
  return { maxServers: sum('maxServers'), maxCores: sum('maxCores'), maxRamGb: sum('maxRamGb') };
}

/** What is on a host. */
export function usageOn({ queue }: Pick<HostRoom, 'queue'>, { leases, ready }: OnHosts): Usage {
  const mine = <T extends { readonly queue: string }>(all: readonly T[]) => all.filter((each) => each.queue === queue);
  return withMachines(lentBy(mine(leases)), sizesOf(mine(ready)));
}
