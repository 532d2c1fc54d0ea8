import { type Capacity, excess, type ReadyWish, type Size, type Usage, withMachines } from './capacity.ts';
import type { AssignedMachine } from './machines.ts';

/** A node that is made before anybody asks for it. It counts like one that is lent. */
export interface ReadyNode extends Pick<ReadyWish, 'label' | 'size'> {
  /** What it carries in the place of a build's id. */
  readonly id: string;
  /** Task queue of the machine that it stands on. */
  readonly queue: string;
  /** `leaving`: nobody gets it any more, and it counts until it is removed. */
  readonly state: 'making' | 'ready' | 'leaving';
  /** When it began to be that: milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds that it took to make it: what whoever is lent it does not wait for. */
  readonly took?: number;
}

const prefix = 'ready-';

/** The id of a node that stands ready, of something unique. */
export function readyId(unique: string): string {
  return `${prefix}${unique}`;
}

/** Those of a lease's machines that stood ready. */
export function readyIdsIn(machines: readonly { readonly name: string }[] = []): readonly string[] {
  return machines.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}

/** Takes the oldest node that stands ready for each size whose label has one where the request is served. */
export function takeReady(
  { sizes, queue }: { readonly sizes: readonly Size[]; readonly queue: string },
  ready: readonly ReadyNode[],
): { readonly taken: readonly ReadyNode[]; readonly left: readonly ReadyNode[] } {
  const taken: ReadyNode[] = [];
  for (const { label } of sizes) {
    const free = ready.filter((node) => node.state === 'ready' && node.queue === queue && !taken.includes(node));
    const [oldest] = free.filter((node) => node.label === label).sort((a, b) => a.since - b.since);
    if (oldest !== undefined) taken.push(oldest);
  }
  return { taken, left: ready.filter((node) => !taken.includes(node)) };
}

/** One that stood ready, as it is lent. */
export function asLent({ label, id, took }: ReadyNode): AssignedMachine {
  return { label, name: id, ...(took === undefined ? {} : { took }) };
}

/**
 * Gives up as few nodes as must go for a request to fit once they are removed, those in the making first. Where all
 * together are too few, none goes: the request waits for a lease to end.
 *
 * @param usage what is lent, with what the request wants
 */
export function makeRoom(ready: readonly ReadyNode[], usage: Usage, capacity: Capacity): readonly ReadyNode[] {
  const stays = ready.filter(({ state }) => state !== 'leaving').sort((a, b) => rank(a) - rank(b));
  const fits = (rest: readonly ReadyNode[]) => excess(withMachines(usage, sizesOf(rest)), capacity).length === 0;
  const count = Array.from({ length: stays.length + 1 }, (_, gone) => gone).find((gone) => fits(stays.slice(gone)));
  return count === undefined ? ready : leaving(ready, stays.slice(0, count));
}

function rank({ state }: ReadyNode): number {
  return state === 'making' ? 0 : 1;
}

/** Has some leave: all, where nothing else is said. */
export function leaving(ready: readonly ReadyNode[], some = ready): readonly ReadyNode[] {
  return ready.map((node) => (some.includes(node) ? { ...node, state: 'leaving' as const } : node));
}

/** What becomes of nodes that are to stand ready. `time`: milliseconds since the epoch. */
export type ReadyMessage =
  /**
   * What is surplus leaves; one that is missing is to be made under this id, where there is room and nobody waits. Null:
   * none can be made just now.
   */
  | { readonly type: 'refill'; readonly id: string | null; readonly time: number }
  | { readonly type: 'made'; readonly id: string; readonly time: number; readonly took: number }
  /** They are not what would be made today. */
  | { readonly type: 'void'; readonly ids: readonly string[] }
  /** Nothing of them is left. */
  | { readonly type: 'removed'; readonly ids: readonly string[] };

/** What stands ready, and what decides whether there is more to be. */
export interface Stock {
  readonly ready: readonly ReadyNode[];
  readonly wishes: readonly ReadyWish[];
  /** Whether nodes may stand on the machine of a task queue any more. */
  readonly serves: (queue: string) => boolean;
  /** Task queue of the machine that has room for one more beside these; undefined: none has. */
  readonly placeFor: (wish: ReadyWish, beside: readonly ReadyNode[]) => string | undefined;
  /** Others come first: somebody waits, or may hold what is not known of. */
  readonly others: boolean;
}

/** Folds a message. */
export function restock(stock: Stock, message: ReadyMessage): readonly ReadyNode[] {
  const { ready } = stock;
  switch (message.type) {
    case 'refill':
      return refilled(stock, message);
    case 'made': {
      const { id, time: since, took } = message;
      const done = (node: ReadyNode) => node.id === id && node.state === 'making';
      return ready.map((node) => (done(node) ? { ...node, state: 'ready', since, took } : node));
    }
    case 'void':
      return leaving(
        ready,
        ready.filter(({ id }) => message.ids.includes(id)),
      );
    case 'removed':
      return ready.filter(({ id }) => !message.ids.includes(id));
  }
}

/** Whether a refill would change something. @param time milliseconds since the epoch @param makes whether one can be made */
export function needsRefill(stock: Stock, time: number, makes: boolean): boolean {
  return surplus(stock, time).length > 0 || (makes && missing(stock) !== undefined);
}

function refilled(stock: Stock, { id, time }: Extract<ReadyMessage, { type: 'refill' }>): readonly ReadyNode[] {
  const ready = leaving(stock.ready, surplus(stock, time));
  const next = missing({ ...stock, ready });
  if (id === null || next === undefined) return ready;
  const { label, size, queue } = next;
  return [...ready, { id, label, size, queue, state: 'making', since: time }];
}

/** Those that are too old, too many, where none may stand any more, or of a label or size that nobody wishes. */
function surplus({ ready, wishes, serves }: Stock, time: number): readonly ReadyNode[] {
  const stays = ready.filter(({ state }) => state !== 'leaving');
  const good = wishes.flatMap((wish) => {
    const mine = stays.filter((node) => isOf(node, wish) && serves(node.queue) && !isOld(node, wish, time));
    return mine.sort((a, b) => a.since - b.since).slice(0, wish.min);
  });
  return stays.filter((node) => !good.includes(node));
}

/** The first wish that has too few nodes, where one more has room; undefined: none. */
function missing({ ready, wishes, placeFor, others }: Stock): Pick<ReadyNode, 'label' | 'size' | 'queue'> | undefined {
  if (others) return undefined;
  const has = (wish: ReadyWish) => ready.filter((node) => node.state !== 'leaving' && isOf(node, wish)).length;
  for (const wish of wishes) {
    const queue = has(wish) < wish.min ? placeFor(wish, ready) : undefined;
    if (queue !== undefined) return { label: wish.label, size: wish.size, queue };
  }
  return undefined;
}

export function sizesOf(ready: readonly ReadyNode[]): readonly Size[] {
  return ready.map(({ size }) => size);
}

function isOf({ label, size, queue }: ReadyNode, wish: ReadyWish): boolean {
  const { cores, ramGb } = wish.size;
  const here = wish.queue === undefined || queue === wish.queue;
  return label === wish.label && here && size.cores === cores && size.ramGb === ramGb;
}

function isOld({ state, since }: ReadyNode, { maxAge = Infinity }: ReadyWish, time: number): boolean {
  return state === 'ready' && time - since > maxAge;
}
