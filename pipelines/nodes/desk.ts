import {
  type Capacity,
  excess,
  type HostRoom,
  lentBy,
  nothing,
  type Size,
  type Usage,
  withMachines,
} from './capacity.ts';
import { neverOnHosts, serveOnHosts } from './hosts.ts';
import { type AssignedMachine, labelsOf, serveWithMachines, tooFewMachines } from './machines.ts';
import {
  asLent,
  leaving,
  makeRoom,
  type ReadyMessage,
  type ReadyNode,
  readyIdsIn,
  restock,
  sizesOf,
  takeReady,
} from './ready.ts';
import { byRelativePriority, type ItemPlace } from './relative-priority.ts';
import { stockOf } from './stock.ts';

/** Machines that somebody wants to hold, all of them at once. */
export interface NodesRequest {
  /** Workflow id of an attempt at a job. */
  readonly holder: string;
  /** Unique for each request: a holder that starts anew asks anew. */
  readonly token: string;
  /** One for each node of the nodeset. */
  readonly sizes: readonly Size[];
  /** The build's id, which everything carries that is made for it, and the task queue of those who can remove that. */
  readonly build: string;
  readonly queue: string;
  /** That of the pipeline's precedence: lower is served first; among equals, who asked first, or by relative priority. */
  readonly priority: number;
  /** For relative priority; absent: nobody is ahead of it. */
  readonly place?: ItemPlace;
  /** The only host that will do, where the provider has several; absent: any. */
  readonly on?: string;
}

/** Machines that are lent to a request. */
export interface NodesLease extends NodesRequest {
  /** Higher than that of every lease before: whoever comes with a lower one for the same things comes too late. */
  readonly fence: number;
  /** Its holder is gone. The machines may still be there, so they count until somebody has removed them. */
  readonly lost: boolean;
  /** Which ones: one for each of its sizes where the provider has machines that are lent as they are, else what stood ready. */
  readonly machines?: readonly AssignedMachine[];
  /** The host that its machines are on, where the provider has several: `queue` is that one's. */
  readonly host?: string;
}

/** The machines of a provider: who has them, and who waits. Plain JSON. */
export interface NodesDesk {
  readonly capacity: Capacity;
  /** The highest fence that was given. */
  readonly fence: number;
  readonly leases: readonly NodesLease[];
  /** By priority, then by age: `servingOrder` is the order in which they are served. */
  readonly waiting: readonly NodesRequest[];
  /** What is made for nobody yet; absent: nothing. */
  readonly ready?: readonly ReadyNode[];
  /** Tokens of the last requests that ended: one that comes again, late, is void. */
  readonly over: readonly string[];
  /** Nobody is served before it is known what an earlier life of the desk has lent. */
  readonly closed?: boolean;
}

export type NodesMessage =
  | { readonly type: 'ask'; readonly request: NodesRequest; readonly capacity: Capacity }
  /** Gives back what is removed already, or no longer wants. */
  | { readonly type: 'release'; readonly tokens: readonly string[] }
  /** Another workflow answers for these machines from now on, and they are removed by another task queue. */
  | { readonly type: 'hand'; readonly token: string; readonly holder: string; readonly queue: string }
  /** These holders have ended, and gave nothing back. */
  | { readonly type: 'lose'; readonly tokens: readonly string[] }
  | { readonly type: 'capacity'; readonly capacity: Capacity }
  | ReadyMessage
  /** What the holders themselves say, for a desk that may have forgotten some of it; it is open from here on. */
  | ({ readonly type: 'recall'; readonly capacity: Capacity } & NodesClaims);

/** What those who hold machines, or wait for them, say of themselves. */
export interface NodesClaims {
  readonly leases: readonly NodesLease[];
  /** In the order in which they came. */
  readonly waiting: readonly NodesRequest[];
}

/** A request that can never be met, and why. */
interface NodesRefusal {
  readonly request: NodesRequest;
  readonly reason: string;
}

/** What a message has come to. */
export interface NodesAnswer {
  readonly desk: NodesDesk;
  readonly granted: readonly NodesLease[];
  readonly refused: readonly NodesRefusal[];
}

/** Requests that are remembered as over: senders repeat themselves for minutes, not for ever. */
const remembered = 200;

export const emptyDesk: NodesDesk = { capacity: {}, fence: 0, leases: [], waiting: [], over: [] };

/**
 * Folds a message. Requests are served in order, each with all of its machines or none. One that does not fit yet keeps
 * all behind it waiting, as in Zuul: else a large nodeset would never see enough machines free at once.
 */
export function attend(desk: NodesDesk, message: NodesMessage): NodesAnswer {
  switch (message.type) {
    case 'ask':
      return serve({ ...asked(desk, message.request), capacity: message.capacity });
    case 'release':
      return serve(ended(desk, message.tokens));
    case 'hand':
      return serve(handed(desk, message));
    case 'lose':
      return serve(lost(desk, message.tokens));
    case 'capacity':
      return serve({ ...desk, capacity: message.capacity });
    case 'recall':
      return serve({ ...recalled(desk, message), capacity: message.capacity, closed: false });
    default:
      return serve({ ...desk, ready: restock(stockOf(desk), message) });
  }
}

/** What has become of a request, as the one who asked is told it. */
export type NodesReply =
  | { readonly state: 'waits' }
  | ({ readonly state: 'granted' } & Pick<NodesLease, 'fence' | 'machines' | 'host'>)
  /** It can never be met, or has ended: why, in words for people. */
  | { readonly state: 'refused'; readonly reason: string };

export function replyTo(desk: NodesDesk, { token, ...wish }: Pick<NodesRequest, 'token' | 'sizes' | 'on'>): NodesReply {
  const lease = leaseOf(desk, token);
  if (lease !== null) return grantOf(lease);
  if (desk.waiting.some((one) => one.token === token)) return { state: 'waits' };
  const never = neverFits(wish, desk.capacity);
  return { state: 'refused', reason: never ?? 'the request has ended' };
}

/** The answer to whoever has been lent something. */
export function grantOf({ fence, machines, host }: Pick<NodesLease, 'fence' | 'machines' | 'host'>): NodesReply {
  const which = machines === undefined ? {} : { machines };
  return { state: 'granted', fence, ...which, ...(host === undefined ? {} : { host }) };
}

/** The lease of a request; null for one that waits, was refused, is lost, or is not known. */
export function leaseOf(desk: NodesDesk, token: string): NodesLease | null {
  return desk.leases.find((lease) => lease.token === token && !lease.lost) ?? null;
}

/** Whether the holder of a fence still has what it was given: while the desk is closed nobody else can have it. */
export function holds(desk: NodesDesk, { token, fence }: Pick<NodesLease, 'token' | 'fence'>): boolean {
  return desk.closed === true || leaseOf(desk, token)?.fence === fence;
}

/** What is lent, that of lost leases too, and what stands ready. */
export function usageOf({ leases, ready = [] }: Pick<NodesDesk, 'leases' | 'ready'>): Usage {
  return withMachines(lentBy(leases), sizesOf(ready));
}

/** What a run knows that was reset: who holds what it must be told, and what stood ready may be somebody's by now. */
export function forgetful(desk: NodesDesk): NodesDesk {
  return { ...desk, closed: true, ...(desk.ready === undefined ? {} : { ready: leaving(desk.ready) }) };
}

/** Those who wait, in the order in which they are served as things stand. */
export function servingOrder({ capacity, leases, waiting }: NodesDesk): readonly NodesRequest[] {
  if (capacity.relativePriority !== true) return waiting;
  return byRelativePriority(
    waiting,
    leases.filter(({ lost }) => !lost),
  );
}

function asked(desk: NodesDesk, request: NodesRequest): NodesDesk {
  const { token, holder, priority } = request;
  const known = [...desk.leases, ...desk.waiting];
  if (desk.over.includes(token) || known.some((one) => one.token === token)) return desk;
  // The same workflow by another token: it was started anew, and nobody gives back what it had before.
  const earlier = known.filter((one) => one.holder === holder).map((one) => one.token);
  const left = earlier.length > 0 ? lost(desk, earlier) : desk;
  const behind = left.waiting.findIndex((one) => one.priority > priority);
  return { ...left, waiting: left.waiting.toSpliced(behind < 0 ? left.waiting.length : behind, 0, request) };
}

/** Each lease keeps its fence; what the desk knows already, or knows to have ended, it knows better. */
function recalled(desk: NodesDesk, { leases, waiting }: NodesClaims): NodesDesk {
  const known = new Set([...desk.leases.map(({ token }) => token), ...desk.over]);
  const held = leases.filter(({ token }) => !known.has(token));
  const fence = Math.max(desk.fence, ...held.map((lease) => lease.fence));
  const tokens = new Set(held.map(({ token }) => token));
  const asks = desk.waiting.filter(({ token }) => !tokens.has(token));
  const taken = readyIdsIn(held.flatMap(({ machines = [] }) => machines));
  const ready = desk.ready?.filter(({ id }) => !taken.includes(id));
  const stock = ready === undefined ? {} : { ready };
  const left = { ...desk, fence, leases: [...desk.leases, ...held], waiting: [], ...stock };
  // Who waited before comes before who has come since.
  return [...waiting, ...asks].reduce(asked, left);
}

function ended(desk: NodesDesk, tokens: readonly string[]): NodesDesk {
  const stays = ({ token }: NodesRequest) => !tokens.includes(token);
  return {
    ...desk,
    leases: desk.leases.filter(stays),
    waiting: desk.waiting.filter(stays),
    over: [...desk.over.filter((token) => !tokens.includes(token)), ...tokens].slice(-remembered),
  };
}

function handed(desk: NodesDesk, { token, holder, queue }: Extract<NodesMessage, { type: 'hand' }>): NodesDesk {
  const leases = desk.leases.map((lease) => {
    return lease.token === token ? { ...withoutPlace(lease), holder, queue } : lease;
  });
  return { ...desk, leases };
}

/** Nodes whose job has ended, and which are kept, put nobody behind by relative priority. */
export function withoutPlace<R extends NodesRequest>({ place: _, ...request }: R): Omit<R, 'place'> {
  return request;
}

/** What is lent stays counted; who only waits is forgotten. */
function lost(desk: NodesDesk, tokens: readonly string[]): NodesDesk {
  const waits = desk.waiting.filter(({ token }) => tokens.includes(token)).map(({ token }) => token);
  const leases = desk.leases.map((lease) => (tokens.includes(lease.token) ? { ...lease, lost: true } : lease));
  return ended({ ...desk, leases }, waits);
}

/** Refuses what is more than the provider has at all, for it would wait for ever, and grants as far as machines go. */
function serve(desk: NodesDesk): NodesAnswer {
  const refused = desk.waiting.flatMap((request) => {
    const reason = neverFits(request, desk.capacity);
    return reason === null ? [] : [{ request, reason }];
  });
  const over = refused.map(({ request }) => request.token);
  const left = over.length > 0 ? ended(desk, over) : desk;
  const { grants, ready } = left.closed === true ? { grants: [], ready: left.ready } : grantable(left);
  const granted = grants.map((grant, index) => ({ ...grant, fence: left.fence + index + 1, lost: false }));
  const served = new Set(granted.map(({ token }) => token));
  const waiting = left.waiting.filter(({ token }) => !served.has(token));
  const leases = [...left.leases, ...granted];
  const stock = ready === undefined ? {} : { ready };
  return { desk: { ...left, leases, waiting, ...stock, fence: left.fence + granted.length }, granted, refused };
}

type Grant = NodesRequest & Pick<NodesLease, 'machines' | 'host'>;

/** Who can be served now, in order, and what stands ready afterwards: what is in the way of the next leaves. */
function grantable(desk: NodesDesk): { readonly grants: readonly Grant[]; readonly ready: NodesDesk['ready'] } {
  const { capacity } = desk;
  const waiting = servingOrder(desk);
  const there = { ...desk, waiting };
  if (capacity.machines !== undefined)
    return { grants: serveWithMachines(capacity.machines, there), ready: desk.ready };
  if (capacity.hosts !== undefined) return placeable(there, capacity.hosts);
  const grants: Grant[] = [];
  let { ready = [] } = desk;
  let lent = lentBy(desk.leases);
  for (const request of waiting) {
    const { taken, left } = takeReady(request, ready);
    const usage = withMachines(lent, request.sizes);
    if (excess(withMachines(usage, sizesOf(left)), capacity).length > 0) {
      ready = [...taken, ...makeRoom(left, usage, capacity)];
      break;
    }
    grants.push(taken.length === 0 ? request : { ...request, machines: taken.map(asLent) });
    [lent, ready] = [usage, left];
  }
  return { grants, ready: desk.ready && ready };
}

/** The same where the provider has several hosts. */
function placeable({ leases, waiting, ready: stock }: NodesDesk, hosts: readonly HostRoom[]) {
  const { served, ready } = serveOnHosts(hosts, waiting, { leases, ready: stock ?? [] });
  const grants = served.map(({ host, taken, ...request }): Grant => {
    const machines = taken.length === 0 ? {} : { machines: taken.map(asLent) };
    return { ...request, ...machines, host: host.name };
  });
  return { grants, ready: stock && ready };
}

/** Why machines are more than the provider has at all; null when they are not. */
function neverFits({ sizes, on }: Pick<NodesRequest, 'sizes' | 'on'>, capacity: Capacity): string | null {
  if (capacity.machines !== undefined) return tooFewMachines(labelsOf(sizes), capacity.machines);
  if (capacity.hosts !== undefined) return neverOnHosts({ sizes, on }, capacity.hosts);
  const over = excess(withMachines(nothing, sizes), capacity);
  return over.length > 0 ? over.join(', ') : null;
}
