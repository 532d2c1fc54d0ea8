/** How often an action is tried before it is given up, and how long it waits between two tries, in milliseconds. */
export interface Budget {
  readonly tries: number;
  readonly first: number;
  readonly most: number;
}

/**
 * `refused`: this one is not taken, others may be. `away`: nobody answers. A queue waits for what it stands on, and for
 * nothing else.
 */
export const budgets = {
  /** A state that cannot be made is a failure of its item after 15 s: those behind it wait for it, and go on without. */
  prepare: { refused: { tries: 6, first: 500, most: 30_000 }, away: { tries: Infinity, first: 1_000, most: 60_000 } },
  /**
   * A host that refuses says so as an answer. One that is away has perhaps merged: only it can tell, so we wait. What is
   * wrong with one change alone keeps those behind it waiting for 25 minutes, and is then its failure.
   */
  submit: { refused: { tries: 30, first: 1_000, most: 60_000 }, away: { tries: Infinity, first: 1_000, most: 60_000 } },
  /** A report that is refused for 15 s is given up. One that nobody takes waits a day: hosts are repaired. */
  tell: { refused: { tries: 6, first: 500, most: 30_000 }, away: { tries: 1_500, first: 1_000, most: 60_000 } },
} as const satisfies Readonly<Record<string, Readonly<Record<'refused' | 'away', Budget>>>>;

/** A build set that cannot be started is tried for 15 s; then its jobs are in error. */
export const startBudget: Budget = { tries: 6, first: 500, most: 30_000 };

/** Milliseconds until the next try, after so many. */
export function pauseAfter({ first, most }: Budget, tries: number): number {
  return Math.min(most, first * 2 ** Math.min(tries - 1, 20));
}

/** Milliseconds after which it is told that jobs have begun: where all is over by then the result says enough. */
export const startPause = 1_000;
