import { condition, log, rootCause, uuid4, workflowInfo } from '@temporalio/workflow';
import type { NodesDesk, NodesMessage } from '../pipelines/nodes/desk.ts';
import { needsRefill, type ReadyNode, readyId, readyIdsIn } from '../pipelines/nodes/ready.ts';
import { isAway, isLeft, stockOf } from '../pipelines/nodes/stock.ts';
import { readyActivities, sweepActivities } from './activities.ts';
import { SaidOnce } from './said-once.ts';

/** Whoever counts the machines of a provider. */
interface Counting {
  readonly provider: string;
  readonly desk: NodesDesk;
  /** It is not known yet who holds what. */
  readonly closed: boolean;
  attend(message: NodesMessage): void;
}

/**
 * Keeps nodes ready: makes them one at a time, removes those that are given up, and has looked after now and then whether
 * the others are still what would be made.
 */
export class ReadyNodes {
  readonly #counting: Counting;
  readonly #period: number;
  #making: ReadyNode | undefined;
  #made: Promise<void> = Promise.resolve();
  /** What could not be done is tried again after the next look. */
  #rests = false;
  /** Milliseconds since the epoch; undefined in runs that looked at the time whenever they were woken. */
  #turn: number | undefined;
  readonly #stuck = new Set<string>();
  readonly #said = new SaidOnce();

  /** @param period seconds between two looks */
  constructor(counting: Counting, period: number) {
    this.#counting = counting;
    this.#period = period;
  }

  /**
   * Until the run is over, and nothing is in the making. Where nothing is to stand ready, it does nothing.
   *
   * @param ways `byTurn` is false for runs that began before, and look at the time whenever they are woken
   */
  async tend(over: () => boolean, { byTurn }: { readonly byTurn: boolean }): Promise<void> {
    while (!over()) {
      await condition(() => over() || (!this.#counting.closed && this.#isWanted));
      if (over()) break;
      await this.#look();
      for (let heard = true; heard && !over(); ) {
        await this.#remove();
        this.#refill();
        if (byTurn) this.#turn = Date.now();
        heard = await condition(() => over() || this.#counting.closed || this.#hasWork(), `${this.#period}s`);
        if (this.#counting.closed) break;
      }
      this.#rests = false;
      this.#stuck.clear();
    }
    await this.#made;
  }

  get #ready(): readonly ReadyNode[] {
    return this.#counting.desk.ready ?? [];
  }

  /** Nodes stand ready, or are to. */
  get #isWanted(): boolean {
    return this.#ready.length > 0 || (this.#counting.desk.capacity.ready ?? []).length > 0;
  }

  /** Task queues of the machines that nodes stand on, or are to, but for those that do not answer. */
  get #queues(): readonly string[] {
    const { desk } = this.#counting;
    const { hosts = [], ready: wishes = [] } = desk.capacity;
    // What an earlier life of this entity has made may be on any of them.
    const own = wishes.some(({ queue }) => queue === undefined) ? hosts : [];
    const queues = [...wishes, ...this.#ready, ...own].flatMap(({ queue }) => queue ?? []);
    return [...new Set(queues)].filter((queue) => !isAway(desk, queue));
  }

  /** What is given up and can be removed: what is still in the making is waited for. */
  get #leaving(): readonly ReadyNode[] {
    return this.#ready.filter(
      ({ id, state, queue }) =>
        state === 'leaving' && id !== this.#making?.id && !this.#stuck.has(id) && !isAway(this.#counting.desk, queue),
    );
  }

  get #mayMake(): boolean {
    return this.#making === undefined && !this.#rests;
  }

  /** By the time of the last turn: what leaves no trace in the history may ask for it, too (see `GateClock`). */
  #hasWork(): boolean {
    return this.#leaving.length > 0 || this.#isShort(this.#turn ?? Date.now());
  }

  async #look(): Promise<void> {
    const { provider, desk } = this.#counting;
    const lent = readyIdsIn(desk.leases.flatMap(({ machines = [] }) => machines));
    const known = [...lent, ...this.#ready.map(({ id }) => id)];
    for (const queue of this.#queues) {
      const ready = this.#ready.filter((node) => node.queue === queue && node.state === 'ready');
      const look = { provider, known, ready: ready.map(({ id, label }) => ({ id, label })), ...holding() };
      try {
        const { gone } = await readyActivities(queue).lookAtReady(look);
        this.#counting.attend({ type: 'void', ids: gone });
        this.#said.forget(queue);
      } catch (error) {
        this.#warn(queue, 'nobody says whether nodes stand ready', { queue, reason: rootCause(error) });
      }
    }
  }

  async #remove(): Promise<void> {
    await Promise.all(
      this.#leaving.map(async ({ id, queue }) => {
        try {
          await sweepActivities(queue).sweepNodes({ build: id });
          this.#counting.attend({ type: 'removed', ids: [id] });
          this.#said.forget(id);
        } catch (error) {
          // Of a host that nobody has any more nobody will ever say that they are gone.
          if (isLeft(this.#counting.desk, queue)) this.#counting.attend({ type: 'removed', ids: [id] });
          else this.#stuck.add(id);
          this.#warn(id, 'a node that stood ready cannot be removed yet', { id, reason: rootCause(error) });
        }
      }),
    );
  }

  #isShort(time: number): boolean {
    return needsRefill(stockOf(this.#counting.desk), time, this.#mayMake);
  }

  #refill(): void {
    if (!this.#isShort(Date.now())) return;
    const id = this.#mayMake ? readyId(uuid4()) : null;
    this.#counting.attend({ type: 'refill', id, time: Date.now() });
    const node = this.#ready.find((each) => each.id === id);
    if (node === undefined) return;
    this.#making = node;
    this.#made = this.#make(node).finally(() => {
      this.#making = undefined;
    });
  }

  async #make({ id, label, queue }: ReadyNode): Promise<void> {
    const { provider } = this.#counting;
    const made = await readyActivities(queue)
      .makeReady({ provider, id, label, ...holding() })
      .catch((error: unknown) => ({ failed: rootCause(error) ?? String(error) }));
    const about = `${label} ${queue}`;
    if ('took' in made) {
      this.#counting.attend({ type: 'made', id, time: Date.now(), took: made.took });
      this.#said.forget(about);
      return;
    }
    this.#rests = true;
    this.#counting.attend({ type: 'void', ids: [id] });
    this.#warn(about, 'a node that is to stand ready cannot be made', { label, queue, reason: made.failed });
  }

  #warn(about: string, message: string, meta: Readonly<Record<string, string | undefined>>): void {
    if (this.#said.isNews(about, meta.reason)) log.warn(message, meta);
  }
}

/** What it makes carries who answers for it. */
function holding(): { readonly holder: string } {
  return { holder: workflowInfo().workflowId };
}
