/** What a review system keeps of a change besides the change itself. */
export interface ChangeHistory {
  /** The current patch set's; empty where it is not known here. */
  readonly commit: string;
  /** What the branch was moved to by its merge; null before that. */
  readonly merged: string | null;
  /** The page where people vote and comment, where that is not at Sluice. */
  readonly elsewhere?: string;
  /** The commit on which people vote and comment by Git notes, where no page is for that. */
  readonly notesOn?: string;
  /** The patch sets of open Git parents that the current patch set stands on. */
  readonly bases: readonly ChangeBase[];
  /** Oldest first. */
  readonly happenings: readonly ChangeHappening[];
}

export interface ChangeBase {
  /** Of the parent. */
  readonly id: string;
  readonly patchset: number;
  /** The number of its current patch set. */
  readonly current: number;
}

export interface ChangeHappening {
  readonly type: 'patchset' | 'comment' | 'abandoned' | 'restored' | 'merged';
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly by: string;
  readonly patchset: number;
  readonly text: string | null;
  readonly votes: readonly { readonly label: string; readonly value: number }[];
  /** Set where Sluice reports on a pipeline: `action` is one of a pipeline's report actions. */
  readonly report: { readonly pipeline: string; readonly action: string } | null;
}
