import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { HandledMessage } from '../pipelines/gate/memory.ts';

/** How long messages are remembered, in milliseconds, and how many in any case, and at most. */
export interface LedgerBounds {
  readonly window: number;
  readonly least: number;
  readonly most: number;
}

/**
 * A sender that has heard no answer repeats itself for a minute, and an event that is not handled is brought again for
 * less than a quarter of an hour: until then an answer must be known. That is 45,000 messages at 50 a second; in a quiet
 * queue the last 1,000 reach back for days. At most it is 5 MB in the worker for a queue, and as much in artifact
 * storage at each rollover; the history carries a digest.
 */
export const ledgerBounds: LedgerBounds = { window: 15 * 60_000, least: 1_000, most: 50_000 };

/** Of runs that began when only the number counted. */
export const firstLedgerBounds: LedgerBounds = { window: 0, least: 1_000, most: 1_000 };

interface Entry {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The answers that were given, by the ids of the messages: one that comes again is not carried out again. */
export class Ledger {
  readonly #bounds: LedgerBounds;
  readonly #answers = new Map<string, GateAnswer>();
  /** Oldest first, from the place that counts: a map that loses its first ones all the time is slow to walk. */
  #order: Entry[] = [];
  #first = 0;

  /** @param handled what an earlier run has handed on; entries without a time are as old as those before them */
  constructor(handled: readonly HandledMessage[], bounds: LedgerBounds) {
    this.#bounds = bounds;
    let at = 0;
    for (const { id, refused, at: from = at } of handled) {
      at = from;
      this.#order.push({ id, at });
      this.#answers.set(id, refused === undefined ? { ok: true } : { ok: false, reason: refused });
    }
  }

  answerTo(id: string): GateAnswer | undefined {
    return this.#answers.get(id);
  }

  /**
   * Keeps the answer to a message that has none yet, and forgets what nobody repeats any more.
   *
   * @param time in milliseconds since the epoch
   */
  keep(id: string, answer: GateAnswer, time: number): void {
    this.#answers.set(id, answer);
    this.#order.push({ id, at: time });
    const { window, least, most } = this.#bounds;
    for (;;) {
      const { size } = this.#answers;
      const { id: oldest, at } = this.#order[this.#first] ?? { id, at: time };
      if (size <= least || (size <= most && at >= time - window)) break;
      this.#answers.delete(oldest);
      this.#first += 1;
    }
    if (this.#first <= most) return;
    this.#order = this.#order.slice(this.#first);
    this.#first = 0;
  }

  /** For the next run: a time stands only where a second has passed. */
  handedOn(): readonly HandledMessage[] {
    let said = 0;
    return this.#order.slice(this.#first).map(({ id, at }) => {
      const answer = this.#answers.get(id);
      const passed = at - said >= 1_000;
      if (passed) said = at;
      return { id, ...(passed ? { at } : {}), ...(answer?.ok === false ? { refused: answer.reason } : {}) };
    });
  }
}
