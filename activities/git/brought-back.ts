import type { MergeMode } from './merge.ts';

/** Modes by which more of a change gets to its branch than its own commits, where those before them are not there. */
const bringsHistory: ReadonlySet<MergeMode> = new Set(['merge', 'merge-resolve', 'squash-merge']);

/** What is asked of a repository's history. */
export interface History {
  isAncestor(older: string, newer: string): Promise<boolean>;
  /** The newest commits that one contains, and any of the others too. */
  inCommon(one: string, others: readonly string[]): Promise<readonly string[]>;
}

/** A change that is to be merged onto a branch. */
export interface Return {
  /** What the branch is at. */
  readonly tip: string;
  /** The change's own commit. */
  readonly head: string;
  readonly mode: MergeMode;
  /** It is all commits that its branch has not, by whatever mode they get there. */
  readonly series?: boolean | undefined;
  /** What the branch was at when somebody took it away. */
  readonly taken: () => Promise<readonly string[]>;
}

/** @returns a commit that was taken from the branch, and that a merge would bring back; null for none */
export async function broughtBack(
  history: History,
  { tip, head, mode, series, taken }: Return,
): Promise<string | null> {
  const all = series || bringsHistory.has(mode) ? await taken() : [];
  // One question for all of them: branches that are written anew each night have many.
  const shared = all.length === 0 ? [] : await history.inCommon(head, all);
  for (const common of shared) if (common !== tip && !(await history.isAncestor(common, tip))) return common;
  return null;
}
