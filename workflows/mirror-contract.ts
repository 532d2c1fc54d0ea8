/** What a mirror set's entity is asked: a sync queues up while the set is paused, and the latest wins. */
export interface MirrorRequest {
  readonly action: 'sync' | 'pause' | 'resume';
  /** The release that asks, for the record. */
  readonly release?: string;
}

/** Input of the `mirror` workflow: the set, and what an earlier run left. */
export interface MirrorEntityInput {
  readonly set: string;
  readonly paused: boolean;
  readonly pending: MirrorRequest | null;
  readonly outcome: string | null;
}

export interface MirrorView {
  readonly set: string;
  readonly paused: boolean;
  readonly pending: boolean;
  readonly outcome: string | null;
}
