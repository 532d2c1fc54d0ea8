/**
 * What the outside world knows of a proposed change, as plain data.
 *
 * `id` names the change across its patch sets; `key` (`ID,PATCHSET`) names one patch set. A branch or tag that
 * a `post` or timer pipeline works on is a `ref` item: no patch set, never merged by the gate.
 */
export interface Change {
  readonly id: string;
  readonly key: string;
  readonly kind: 'change' | 'branch' | 'tag';
  readonly connection: string;
  readonly project: string;
  /** Target branch; for a tag, empty. */
  readonly branch: string;
  /** Full Git ref that holds the commit, for example `refs/changes/7/1` or `refs/heads/master`. */
  readonly ref: string;
  readonly patchset: number;
  readonly oldrev?: string;
  readonly newrev?: string;
  /** Paths that the change touches; null when the review system cannot tell. */
  readonly files: readonly string[] | null;
  readonly message: string;
  readonly subject: string;
  readonly owner: string;
  readonly topic?: string;
  readonly hashtags?: readonly string[];
  readonly url?: string;
  /** Ids of the changes this one needs by Git parentage, direct only. */
  readonly parents: readonly string[];
  /** Ids of the changes named in `Depends-On:`, direct only. */
  readonly dependsOn: readonly string[];
  readonly status: 'open' | 'merged' | 'abandoned';
  /** False once a later patch set exists. */
  readonly current: boolean;
  readonly wip: boolean;
  /** What the review system says of the merge itself, apart from votes. */
  readonly mergeable: boolean;
  /** What its host still lacks for a merge, but for what Sluice gives; absent where the host leaves that to Sluice. */
  readonly missing?: readonly string[];
  readonly votes: readonly Vote[];
  /** Words that people have put on it, at hosts where those are no votes; absent where a label is a vote, as at Gerrit. */
  readonly labels?: readonly string[];
  /** Those of them that were given to the current patch set: one that an earlier one had says nothing of this one. */
  readonly currentLabels?: readonly string[];
  /** What others' checks have said of the commit, where a host keeps it: `WHO:NAME:RESULT`. */
  readonly statuses?: readonly string[];
}

/** What a branch or a tag has where a proposed change has its own. */
export const unproposed = {
  patchset: 0,
  files: null,
  message: '',
  parents: [],
  dependsOn: [],
  status: 'open',
  current: true,
  wip: false,
  mergeable: true,
  votes: [],
} as const satisfies Partial<Change>;

/** A vote that stays on a patch set until the next one. `time` is milliseconds since the epoch. */
export interface Vote {
  readonly label: string;
  readonly value: number;
  readonly by: string;
  readonly email?: string;
  /** What the voter may do in the project, where a host lets everybody vote. */
  readonly permission?: Permission;
  readonly time: number;
}

/** Each includes those before it. */
export type Permission = 'read' | 'write' | 'admin';

/**
 * The type of an event that no review system tells: a change meets all that a pipeline and its host want of it, and has not
 * before with this patch set. It names its pipeline.
 */
export const changeReady = 'change-ready';

/** Something that happened at a review system, before any pipeline has looked at it. */
export interface TriggerEvent {
  /** `patchset-created`, `comment-added`, `change-merged`, `ref-updated`, `timer`, `project-change-merged`, … */
  readonly type: string;
  readonly driver: string;
  readonly connection: string;
  readonly project: string;
  readonly branch?: string;
  readonly ref?: string;
  readonly change?: string;
  readonly patchset?: number;
  readonly oldrev?: string;
  readonly newrev?: string;
  readonly comment?: string;
  readonly approvals?: readonly { readonly label: string; readonly value: number; readonly oldValue?: number }[];
  readonly account?: { readonly username: string; readonly email?: string; readonly permission?: Permission };
  /** What was done, where one type of event covers several (`opened`, `labeled`, …). */
  readonly action?: string;
  readonly labels?: readonly string[];
  readonly unlabels?: readonly string[];
  /** State of a review (`approved`, …), and `USER:CONTEXT:STATE` of a commit status. */
  readonly state?: string;
  readonly status?: string;
  /** `APP:NAME:CONCLUSION` of a check run. */
  readonly check?: string;
  readonly hashtags?: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** For `timer` events: the pipeline and cron expression that fired; for `change-ready`, which pipeline it is ready for. */
  readonly timespec?: string;
  readonly pipeline?: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** The id of the change whose patch set bears a key (`ID,PATCHSET`). */
export function changeIdOf(key: string): string {
  return key.slice(0, key.lastIndexOf(','));
}
