import { workflowInfo } from '@temporalio/workflow';
import type { GateBook } from './gate-book.ts';
import type { GateName } from './ids.ts';

/** History events after which a gate continues as new, when the server does not ask for it earlier. */
const defaultBudget = 2_000;

/**
 * The time, and whether the history is long enough, as a gate decides by them: read once a turn, which only what is in the
 * history begins. Temporal wakes a workflow also for what its history does not show: a local activity that ends when a
 * query has closed the workflow task in between, an update that is refused. The time and the length of the history are
 * then others than when the history is played again.
 */
export class GateClock {
  readonly #budget: number;
  readonly #byTurn: boolean;
  #time = Date.now();
  #spent = false;

  /**
   * @param budget events; undefined: 2,000
   * @param ways `byTurn` is false for runs that began before, and look whenever they are woken
   */
  constructor(budget: number | undefined, { byTurn }: { readonly byTurn: boolean }) {
    this.#budget = budget ?? defaultBudget;
    this.#byTurn = byTurn;
  }

  /** A turn begins. */
  turn(): void {
    this.#time = Date.now();
    this.#spent = this.#isSpent();
  }

  /** Milliseconds since the epoch. */
  get time(): number {
    return this.#byTurn ? this.#time : Date.now();
  }

  /** The gate is to continue as new. */
  get spent(): boolean {
    return this.#byTurn ? this.#spent : this.#isSpent();
  }

  #isSpent(): boolean {
    return workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > this.#budget;
  }
}

/** What all that a gate does goes by. */
export interface GateParts {
  readonly name: GateName;
  readonly book: GateBook;
  readonly clock: GateClock;
}
