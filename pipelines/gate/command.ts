import type { BuildOutcome } from '../jobs/state.ts';
import type { BlobRef } from '../model/artifact.ts';
import type { Change, TriggerEvent } from '../model/change.ts';
import type { Artifact, BuildResult, JobGraph } from '../model/job.ts';
import type { Pipeline, QueuePlacement } from '../model/pipeline.ts';

/** A change with what the configuration says of its project in each pipeline: resolved outside, so that the core
 * needs no configuration of its own. Nothing stands there for a project without configuration. */
export interface ChangeFacts extends Change {
  readonly placements: Readonly<Record<string, QueuePlacement>>;
  /** The paths that it touches, as a list in artifact storage, where they are many: `files` is empty then. */
  readonly filesIn?: BlobRef;
  /** Change id to the patch set that a Git parent is; a parent that is not named here is the latest one. */
  readonly parentPatchsets?: Readonly<Record<string, number>>;
  /** Pipeline to what the change's latest build set there came to, as far as its jobs provide something. */
  readonly results?: Readonly<Record<string, readonly ProvidedResult[]>>;
}

/** What became of a job that provides artifacts to other changes. */
export interface ProvidedResult {
  readonly job: string;
  readonly provides: readonly string[];
  readonly result: BuildResult;
  readonly artifacts: readonly Artifact[];
}

/** Limits of the tenant; absent is none. */
export interface GateLimits {
  readonly maxChangesPerPipeline?: number;
  readonly maxDependencies?: number;
  /** Events that some pipeline of the tenant, here or elsewhere, waits for; absent: as the gate's own pipelines say. */
  readonly fires?: readonly ('project-change-merged' | 'parent-change-enqueued')[];
}

/**
 * All that can be said to a gate. `time` is milliseconds since the epoch and never decreases.
 *
 * A gate holds one or more pipelines. In production it is one pipeline's shared queue (or, for managers without
 * shared queues, one project); the simulator holds a whole tenant in one state.
 */
export type GateCommand = { readonly time: number } /**
 * The pipelines as now configured. `changes` are the known changes as the new configuration places them: items
 * move to the queues that they now belong to, and go on with what they have.
 */ & (
  | {
      readonly type: 'configure';
      readonly pipelines: readonly Pipeline[];
      readonly limits?: GateLimits;
      readonly changes?: readonly ChangeFacts[];
    }
  /**
   * New facts: patch sets, votes, edits, abandonment, merges. Enqueues nothing, but a newer patch set or an
   * abandonment takes the change out of the queues. Before a change is enqueued it is observed together with all that
   * it needs and, where changes merge, all that waits for it: facts that have nothing to do with the queues may be
   * forgotten.
   */
  | { readonly type: 'observe'; readonly changes: readonly ChangeFacts[] }
  /** `change` is an id (its latest patch set is meant) or the key of a patch set, here and below. */
  | {
      readonly type: 'enqueue';
      readonly pipeline: string;
      readonly change: string;
      readonly event?: TriggerEvent;
      readonly ignoreRequirements?: boolean;
      /** Say on the change why it is not let in, when it is not. */
      readonly debug?: boolean;
    }
  | { readonly type: 'dequeue'; readonly pipeline: string; readonly change: string }
  | { readonly type: 'promote'; readonly pipeline: string; readonly changes: readonly string[] }
  /** `whole`: with all that used what the job made; absent where a build set tells that began when it was the job alone. */
  | {
      readonly type: 'retrigger';
      readonly pipeline: string;
      readonly change: string;
      readonly job: string;
      readonly whole?: true;
    }
  /** Somebody wants a job to run again: the item has no verdict before its build set has heard, and has said so. */
  | { readonly type: 'retrigger-asked'; readonly pipeline: string; readonly change: string; readonly job: string }
  /** A build set does not run the job again, though it was asked to. `job` is its key. */
  | { readonly type: 'retrigger-refused'; readonly buildSet: string; readonly job: string }
  | { readonly type: 'prepared'; readonly buildSet: string; readonly outcome: PrepareOutcome }
  | { readonly type: 'build-started'; readonly buildSet: string; readonly build: string; readonly node?: string }
  | {
      readonly type: 'build-waiting';
      readonly buildSet: string;
      readonly build: string;
      readonly reasons: readonly string[];
    }
  | { readonly type: 'build-failing'; readonly buildSet: string; readonly build: string }
  | { readonly type: 'build-paused'; readonly buildSet: string; readonly build: string; readonly outcome: BuildOutcome }
  | { readonly type: 'build-ended'; readonly buildSet: string; readonly build: string; readonly outcome: BuildOutcome }
  /** What a build set has told so far no longer holds: its item begins anew. */
  | { readonly type: 'build-set-lost'; readonly buildSet: string }
  /**
   * `unknown`: of these patch sets the host could not say whether they are merged; `moved`: nothing was merged, for the
   * branch is no longer what was tested.
   */
  | {
      readonly type: 'submitted';
      readonly item: string;
      readonly merged: readonly string[];
      readonly refused?: string;
      readonly unknown?: readonly string[];
      readonly moved?: string;
    }
  /** An action of kind `report`, `supersede` or `fire` has been carried out, or has been given up because it `failed`. */
  | { readonly type: 'done'; readonly action: string; readonly failed?: string }
);

/** Why there is nothing to run. */
export interface PrepareTrouble {
  readonly kind: 'conflict' | 'config-error';
  readonly message: string;
  /** Whether the item's projects use the pipeline, where that is not as the configuration in force says. */
  readonly placed?: boolean;
}

/** What preparing an item's speculative state came to: merged and frozen, or the reason why not. */
export type PrepareOutcome =
  | { readonly kind: 'ready'; readonly graph: JobGraph; readonly state?: PreparedState }
  | PrepareTrouble;

/** The Git state that an item's jobs see: for each project and branch, the merged commit and its tree. */
interface PreparedState {
  readonly refs: readonly {
    readonly project: string;
    readonly branch: string;
    readonly commit: string;
    readonly tree: string;
  }[];
}

/** Answers to commands that ask for something: a refusal is a value. */
export type GateAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: string };
