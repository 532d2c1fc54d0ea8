/** How Temporal says that a workflow has ended. Times are milliseconds since the epoch. */
export type Fate = FateKind & {
  /** Null where Temporal does not know the workflow any more. */
  readonly time: number | null;
};

type FateKind =
  | { readonly kind: 'completed'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'canceled' | 'terminated' | 'timed-out' | 'unknown' };

/** What became of a build, a build set or a release that could not say so itself: one line. */
export function fateSentence(fate: Fate): string {
  switch (fate.kind) {
    case 'completed':
      return 'its workflow has ended and its result cannot be read';
    case 'failed':
      return `its workflow has failed: ${fate.reason}`;
    case 'canceled':
      return 'cancelled';
    case 'terminated':
      return 'its workflow was terminated in Temporal';
    case 'timed-out':
      return 'its workflow has run out of time in Temporal';
    case 'unknown':
      return 'it was under way when Sluice stopped, and Temporal does not know its workflow any more';
  }
}
