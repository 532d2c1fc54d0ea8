import { log, rootCause, setCurrentDetails } from '@temporalio/workflow';
import type { GateState } from '../pipelines/gate/state.ts';
import { local } from './activities.ts';
import type { GateBook } from './gate-book.ts';
import { snapshot, summaryLine } from './gate-snapshot.ts';
import type { GateName } from './ids.ts';
import type { QueueSnapshot } from './records.ts';

/**
 * Items above which a queue is shown only so often, in milliseconds: a snapshot of 1,000 items has a megabyte, and each
 * one keeps the workflow task waiting.
 */
const large = { items: 200, pause: 1_000 } as const;
const busy = { items: 5, pause: 250 } as const;

/** What a gate does that did not begin before it did: runs that did keep to how they began. */
interface Ways {
  /** Large queues are shown seldom. */
  readonly second: boolean;
  /** Busy ones, too. */
  readonly seldom: boolean;
  /** Not again where nothing that is shown has changed. */
  readonly changes: boolean;
  /** The gate decides on without waiting for it. */
  readonly byTurn: boolean;
}

/** Hands a queue to the store as it changes: within the workflow task, so that many messages make one. */
export class GateScreen {
  readonly #name: GateName;
  readonly #book: GateBook;
  readonly #ways: Ways;
  #state: GateState | undefined;
  #content: string | undefined;
  #next = 0;

  constructor(name: GateName, book: GateBook, ways: Ways) {
    this.#name = name;
    this.#book = book;
    this.#ways = ways;
  }

  /** Milliseconds until what is not shown yet may be; undefined where all is, or may be now. */
  get rest(): number | undefined {
    const rest = this.#next - Date.now();
    return this.#book.state !== this.#state && rest > 0 ? rest : undefined;
  }

  /** Shows what is not shown yet, if it may be. */
  async update(): Promise<void> {
    if (this.#book.state === this.#state || Date.now() < this.#next) return;
    this.#state = this.#book.state;
    const seen = snapshot(this.#name, this.#book, Date.now());
    if (this.#ways.changes && !this.#isNew(seen)) return;
    this.#next = Date.now() + this.#pause();
    this.#book.sequence += 1;
    const shown = { ...seen, sequence: this.#book.sequence };
    setCurrentDetails(summaryLine(shown));
    // When it ends, the workflow may be woken at another place than when it is played again.
    if (this.#ways.byTurn) void local.projectQueue(shown).catch(cannotShow);
    else await local.projectQueue(shown);
  }

  #isNew({ sequence: _, time: __, ...content }: QueueSnapshot): boolean {
    const before = this.#content;
    this.#content = JSON.stringify(content);
    return this.#content !== before;
  }

  /** Milliseconds until it is shown again. */
  #pause(): number {
    const count = this.#book.state.queues.reduce((sum, { items }) => sum + items.length, 0);
    if (this.#ways.second && count > large.items) return large.pause;
    return this.#ways.seldom && count > busy.items ? busy.pause : 0;
  }
}

function cannotShow(error: unknown): void {
  log.warn('a queue cannot be shown', { reason: rootCause(error) });
}
