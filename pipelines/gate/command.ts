import type { BuildOutcome } from '../jobs/state.ts';
import type { Change, TriggerEvent } from '../model/change.ts';
import type { BuildSetResult, JobGraph } from '../model/job.ts';
import type { Pipeline, QueuePlacement } from '../model/pipeline.ts';

/** A change with what the configuration says of its project in each pipeline: resolved outside, so that the core
 * needs no configuration of its own. A pipeline that the project does not use is absent. */
export interface ChangeFacts extends Change {
  readonly placements: Readonly<Record<string, QueuePlacement>>;
}

/**
 * All that can be said to a gate. `time` is milliseconds since the epoch and never decreases.
 *
 * A gate holds one or more pipelines. In production it is one pipeline's shared queue (or, for managers without
 * shared queues, one project); the simulator holds a whole tenant in one state.
 */
export type GateCommand = { readonly time: number } & (
  | { readonly type: 'configure'; readonly pipelines: readonly Pipeline[] }
  /** New facts: patch sets, votes, edits, abandonment, merges. Never enqueues by itself. */
  | { readonly type: 'observe'; readonly changes: readonly ChangeFacts[] }
  /** `behind` and `needs` must have been observed before: the core reads them from its facts. */
  | {
      readonly type: 'enqueue';
      readonly pipeline: string;
      readonly change: string;
      readonly event?: TriggerEvent;
      readonly ignoreRequirements?: boolean;
    }
  | { readonly type: 'dequeue'; readonly pipeline: string; readonly change: string }
  | { readonly type: 'promote'; readonly pipeline: string; readonly changes: readonly string[] }
  | { readonly type: 'retrigger'; readonly pipeline: string; readonly change: string; readonly job: string }
  | { readonly type: 'prepared'; readonly buildSet: string; readonly outcome: PrepareOutcome }
  | { readonly type: 'build-started'; readonly buildSet: string; readonly build: string; readonly node?: string }
  | { readonly type: 'build-failing'; readonly buildSet: string; readonly build: string }
  | { readonly type: 'build-paused'; readonly buildSet: string; readonly build: string; readonly outcome: BuildOutcome }
  | { readonly type: 'build-ended'; readonly buildSet: string; readonly build: string; readonly outcome: BuildOutcome }
  | { readonly type: 'submitted'; readonly item: string; readonly merged: readonly string[]; readonly refused?: string }
  /** An action of kind `report`, `notify` or `fire` has been carried out. */
  | { readonly type: 'done'; readonly action: string }
);

/** What preparing an item's speculative state came to: merged and frozen, or the reason why not. */
export type PrepareOutcome =
  | { readonly kind: 'ready'; readonly graph: JobGraph; readonly state?: PreparedState }
  | { readonly kind: 'conflict'; readonly message: string }
  | { readonly kind: 'config-error'; readonly message: string };

/** The Git state that an item's jobs see: for each project and branch, the merged commit and its tree. */
export interface PreparedState {
  readonly refs: readonly {
    readonly project: string;
    readonly branch: string;
    readonly commit: string;
    readonly tree: string;
  }[];
}

/** Answers to commands that ask for something: a refusal is a value. */
export type GateAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type FinalResult = BuildSetResult;
