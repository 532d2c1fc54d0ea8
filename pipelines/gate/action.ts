import type { BuildSetState, Permissions } from '../jobs/state.ts';
import type { BuildSetResult } from '../model/job.ts';
import type { ConnectionRule, ReportAction } from '../model/pipeline.ts';

/**
 * What a gate wants to be going on, computed from its state alone. The shell starts what is not started, cancels
 * what is no longer wanted, and answers with commands. Keys name the attempt: a late answer to an old key is void.
 *
 * Changes are named by the keys of their patch sets (`ID,PATCHSET`) throughout.
 */
export type GateAction = PrepareAction | BuildSetAction | SubmitAction | ReportRequest | SupersedeAction | FireAction;

/** Dequeue this change from pipelines that this gate does not hold; answered by `done`. */
export interface SupersedeAction {
  readonly kind: 'supersede';
  readonly key: string;
  readonly change: string;
  readonly pipelines: readonly string[];
}

/** Tell the other pipelines what happened to a change in this one; answered by `done`. */
export interface FireAction {
  readonly kind: 'fire';
  readonly key: string;
  readonly event: 'project-change-merged' | 'parent-change-enqueued';
  readonly change: string;
  readonly pipeline: string;
}

/** Merge the item's changes onto the state of the item ahead, read the configuration, freeze the jobs. */
export interface PrepareAction {
  readonly kind: 'prepare';
  /** The build set's key, `ITEM.N` where ITEM is the item's id and N counts its build sets. */
  readonly key: string;
  readonly pipeline: string;
  readonly queue: string;
  /** The item's own changes, in merge order. */
  readonly changes: readonly string[];
  /** The change whose event brought the item in. */
  readonly trigger: string;
  /** Changes of all items ahead, oldest first. */
  readonly ahead: readonly string[];
  /** The same as the items that they are, when those are not tested by themselves. */
  readonly untested?: readonly (readonly string[])[];
  /** Build set of the item directly ahead, whose prepared state is the base; null: the tip of the branches. */
  readonly base: string | null;
}

/** Run the item's job graph. Wanted for as long as the item is queued; when the key disappears, cancel what runs. */
export interface BuildSetAction {
  readonly kind: 'build-set';
  readonly key: string;
  readonly pipeline: string;
  readonly queue: string;
  readonly changes: readonly string[];
  readonly ahead: readonly string[];
  readonly state: BuildSetState;
  readonly permissions: Permissions;
}

/** Merge the item's changes in the review system, in order. The state that was tested is `buildSet`'s. */
export interface SubmitAction {
  readonly kind: 'submit';
  readonly key: string;
  readonly item: string;
  readonly buildSet: string;
  readonly pipeline: string;
  readonly changes: readonly string[];
  readonly rules: readonly ConnectionRule[];
}

/** Say something on the changes. Final reports are ordered: the shell carries them out in the order given. */
export interface ReportRequest {
  readonly kind: 'report';
  readonly key: string;
  readonly action: ReportAction;
  readonly pipeline: string;
  readonly changes: readonly string[];
  readonly buildSet: string | null;
  readonly result: BuildSetResult | null;
  readonly message: string;
  readonly rules: readonly ConnectionRule[];
  /** Of a start that need not be told where all is over soon: when it was, in milliseconds since the epoch. */
  readonly since?: number;
}
