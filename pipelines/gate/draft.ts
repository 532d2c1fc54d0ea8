import { applyBuild, startBuildSet } from '../jobs/build-set.ts';
import type { PrepareOutcome } from './command.ts';
import type { GateEvent, ItemEvent, QueueEvent } from './event.ts';
import { forget, keepResults, observe } from './facts.ts';
import type { GateState, Item, ItemBuildSet, Queue } from './state.ts';

/**
 * A state in the making: while one command is decided, events are applied to it at once, so that later decisions
 * see them. Items, facts and queues stay immutable; only the lists of items that the draft copied are its own.
 */
export interface Draft {
  state: GateState;
  readonly events: GateEvent[];
  /** Every item by id. */
  readonly items: Map<string, Item>;
  /** Queue to the places and followers of its items: made when many are moved, and kept up to date from then on. */
  readonly orders: Map<string, Order>;
  /** Ids of the queues whose list of items was copied, and may be written to. */
  readonly own: Set<string>;
  /** New patch sets that the command told of. */
  readonly fresh: Set<string>;
  /** Patch sets that are to be enqueued again, once the queues have been looked through. */
  readonly again: Return[];
}

/** A change that lost its item only because the changes that it goes with are others now. */
export interface Return {
  readonly pipeline: string;
  readonly change: string;
  /** Key of the change whose event brought the item in, or made it leave. */
  readonly trigger: string;
  /** The item's changes, which met the pipeline's requirements. */
  readonly admitted: readonly string[];
}

interface Order {
  /** Item to its place in the queue. */
  readonly places: Map<string, number>;
  /** Item to the items that are built on it directly. */
  readonly followers: Map<string, Set<string>>;
}

/** What was given up is remembered for people to see; older ones are in the history. */
const mostUndelivered = 50;

/** Queues to their items by id, left by the draft that made the queues to the next one. */
const itemsOf = new WeakMap<GateState['queues'], Map<string, Item>>();

export function openDraft(state: GateState): Draft {
  const items = itemsOf.get(state.queues) ?? new Map(state.queues.flatMap((queue) => queue.items.map(byId)));
  // The draft writes to it, so that it is nobody else's.
  itemsOf.delete(state.queues);
  return { state, events: [], items, orders: new Map(), own: new Set(), fresh: new Set(), again: [] };
}

function byId(item: Item): readonly [string, Item] {
  return [item.id, item];
}

/** Ends a draft: what it came to. */
export function closeDraft(draft: Draft): GateState {
  itemsOf.set(draft.state.queues, draft.items);
  return draft.state;
}

/** Every item, in the order of the queues. */
export function itemsInOrder({ state }: Draft): readonly Item[] {
  return state.queues.flatMap((queue) => queue.items);
}

/** Decides an event: records it and applies it. */
export function emit(draft: Draft, event: GateEvent): void {
  draft.events.push(event);
  apply(draft, event);
}

/** The queue of that id. */
export function queueOf(draft: Draft, id: string): Queue {
  const queue = draft.state.queues.find((one) => one.id === id);
  if (!queue) throw new Error(`no queue ${id}`);
  return queue;
}

/** What the draft becomes by one event. */
export function apply(draft: Draft, event: GateEvent): void {
  const { state } = draft;
  switch (event.type) {
    case 'time-passed':
      draft.state = { ...state, time: event.time };
      return;
    case 'configured':
      draft.state = { ...state, pipelines: event.pipelines, limits: event.limits, standings: {} };
      return;
    case 'observed':
      draft.state = { ...state, facts: observe(state.facts, event.changes) };
      return;
    case 'forgot':
      draft.state = { ...state, facts: forget(state.facts, event.changes) };
      return;
    case 'results-kept':
      draft.state = { ...state, facts: keepResults(state.facts, event) };
      return;
    case 'standing-changed':
      draft.state = { ...state, standings: { ...state.standings, [event.pipeline]: event.standing } };
      return;
    case 'action-wanted':
      draft.state = { ...state, outbox: [...state.outbox, event.action] };
      return;
    case 'action-done':
      draft.state = { ...state, outbox: state.outbox.filter((action) => action.key !== event.key) };
      return;
    case 'action-given-up':
      draft.state = { ...state, undelivered: [...state.undelivered, event.undelivered].slice(-mostUndelivered) };
      return;
    default:
      applyToQueues(draft, event);
  }
}

function applyToQueues(draft: Draft, event: QueueEvent | ItemEvent): void {
  switch (event.type) {
    case 'queue-opened':
    case 'queue-closed':
    case 'queue-promoted':
    case 'window-changed':
      draft.state = { ...draft.state, queues: changedQueues(draft.state.queues, event) };
      return;
    case 'item-enqueued':
      draft.state = { ...draft.state, serial: draft.state.serial + 1 };
      draft.items.set(event.item.id, event.item);
      ownItems(draft, event.item.queue).push(event.item);
      draft.orders.delete(event.item.queue);
      return;
    case 'item-dequeued':
      dequeue(draft, event.item);
      return;
    case 'item-transferred':
      transfer(draft, event.item, event.queue);
      return;
    case 'item-moved':
      move(draft, event.item, event.ahead);
      return;
    default:
      replace(draft, change(itemOf(draft, event.item), event));
  }
}

type ListEvent = Exclude<QueueEvent, { readonly item: unknown }>;

function changedQueues(queues: readonly Queue[], event: ListEvent): readonly Queue[] {
  switch (event.type) {
    case 'queue-opened':
      return [...queues, event.queue];
    case 'queue-closed':
      return queues.filter((queue) => queue.id !== event.queue);
    case 'queue-promoted':
      return [
        ...queues.filter((queue) => queue.id === event.queue),
        ...queues.filter((queue) => queue.id !== event.queue),
      ];
    case 'window-changed':
      return queues.map((queue) => (queue.id === event.queue ? { ...queue, window: event.window } : queue));
  }
}

/** The item of that id; a programming error when there is none. */
export function itemOf(draft: Draft, id: string): Item {
  const item = draft.items.get(id);
  if (!item) throw new Error(`no item ${id}`);
  return item;
}

/** The queue's list of items, to be written to: copied at the first time. */
function ownItems(draft: Draft, id: string): Item[] {
  const queue = queueOf(draft, id);
  if (draft.own.has(id)) return queue.items as Item[];
  const items = [...queue.items];
  draft.own.add(id);
  const queues = draft.state.queues.map((one) => (one === queue ? { ...queue, items } : one));
  draft.state = { ...draft.state, queues };
  return items;
}

function replace(draft: Draft, item: Item): void {
  const items = ownItems(draft, item.queue);
  const old = itemOf(draft, item.id);
  if (old === item) return;
  const order = draft.orders.get(item.queue);
  items[order?.places.get(item.id) ?? items.indexOf(old)] = item;
  draft.items.set(item.id, item);
  if (!order || old.ahead === item.ahead) return;
  if (old.ahead !== null) order.followers.get(old.ahead)?.delete(item.id);
  if (item.ahead !== null) follow(order, item.ahead, item.id);
}

function dequeue(draft: Draft, id: string): void {
  const item = itemOf(draft, id);
  handOver(draft, item);
  const items = ownItems(draft, item.queue);
  items.splice(items.indexOf(item), 1);
  draft.items.delete(id);
  draft.orders.delete(item.queue);
}

/** The item and all that is built on it, directly or not, in queue order. */
export function withFollowers(draft: Draft, item: Item): readonly Item[] {
  const { places, followers } = orderOf(draft, item.queue);
  const found = [item.id];
  for (const one of found) found.push(...(followers.get(one) ?? []));
  found.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  return found.map((id) => itemOf(draft, id));
}

export function hasFollowers(draft: Draft, item: Item): boolean {
  return (orderOf(draft, item.queue).followers.get(item.id)?.size ?? 0) > 0;
}

function orderOf(draft: Draft, queue: string): Order {
  const known = draft.orders.get(queue);
  if (known) return known;
  const order: Order = { places: new Map(), followers: new Map() };
  for (const [place, item] of queueOf(draft, queue).items.entries()) {
    order.places.set(item.id, place);
    if (item.ahead !== null) follow(order, item.ahead, item.id);
  }
  draft.orders.set(queue, order);
  return order;
}

function follow(order: Order, ahead: string, item: string): void {
  order.followers.set(ahead, (order.followers.get(ahead) ?? new Set()).add(item));
}

function transfer(draft: Draft, id: string, queue: string): void {
  const item = itemOf(draft, id);
  dequeue(draft, id);
  const items = ownItems(draft, queue);
  const moved = { ...item, queue, ahead: items.at(-1)?.id ?? null };
  items.push(moved);
  draft.items.set(id, moved);
  draft.orders.delete(queue);
}

function move(draft: Draft, id: string, ahead: string | null): void {
  const item = itemOf(draft, id);
  handOver(draft, item);
  replace(draft, { ...item, ahead });
}

/** The item's followers are from now on built on what it is built on itself. */
function handOver(draft: Draft, item: Item): void {
  const followers = [...(orderOf(draft, item.queue).followers.get(item.id) ?? [])];
  for (const id of followers) replace(draft, { ...itemOf(draft, id), ahead: item.ahead });
}

function change(item: Item, event: ItemEvent): Item {
  switch (event.type) {
    case 'item-activated':
      return { ...item, active: event.active };
    case 'item-reset':
      return { ...item, phase: 'queued', failing: [], buildSet: newBuildSet(item.id, item.buildSet.number + 1) };
    case 'item-outrun':
      return { ...item, phase: 'queued', outrun: (item.outrun ?? 0) + 1 };
    case 'item-based':
      return { ...item, buildSet: { ...item.buildSet, base: event.base } };
    case 'item-prepared':
      return { ...item, buildSet: prepared(item.buildSet, event.outcome) };
    case 'item-failing':
      return { ...item, failing: event.reasons };
    case 'builds-changed': {
      const { buildSet } = item;
      if (!buildSet.builds) return item;
      const builds = applyBuild(buildSet.builds, event.change);
      return builds === buildSet.builds ? item : { ...item, buildSet: { ...buildSet, builds } };
    }
    case 'retriggers-asked':
      return { ...item, buildSet: { ...item.buildSet, asked: event.jobs } };
    case 'enqueue-reported':
      return { ...item, reportedEnqueue: true };
    case 'start-reported':
      return { ...item, reportedStart: true, startDropped: false };
    case 'start-dropped':
      return { ...item, startDropped: true };
    case 'phase-changed':
      return { ...item, phase: event.phase };
  }
}

/** A build set that nothing has been done for yet. */
export function newBuildSet(item: string, number: number): ItemBuildSet {
  return { key: `${item}.${number}`, number, base: null, trouble: null, builds: null, warnings: [] };
}

function prepared(buildSet: ItemBuildSet, outcome: PrepareOutcome): ItemBuildSet {
  if (outcome.kind !== 'ready') return { ...buildSet, trouble: outcome };
  return { ...buildSet, builds: startBuildSet(outcome.graph), warnings: outcome.graph.warnings };
}
