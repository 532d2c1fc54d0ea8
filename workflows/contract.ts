import type { ReportRequest } from '../pipelines/gate/action.ts';
import type { ChangeFacts, GateCommand, PrepareOutcome } from '../pipelines/gate/command.ts';
import type { Build, BuildOutcome, Permissions } from '../pipelines/jobs/state.ts';
import type { BlobRef, PackagesManifest, SourceState } from '../pipelines/model/artifact.ts';
import type {
  Artifact,
  BuildResult,
  BuildSetResult,
  FrozenJob,
  JobGraph,
  ProvidedArtifact,
  Stage,
} from '../pipelines/model/job.ts';
import type { Pipeline } from '../pipelines/model/pipeline.ts';
import type { BuildSetName, GateName } from './ids.ts';

/** Task queues. Workflows and quick activities run on `control`; long work on the others. */
export const taskQueues = {
  control: 'control',
  build: (arch: string) => `build-${arch}`,
  sign: 'sign',
} as const;

/** Who a build is: everything a log, a label or a report needs to name it. */
export interface BuildIdentity {
  /** Unique for every run of every attempt, and usable as a path segment: `[a-z0-9-]+`. */
  readonly id: string;
  readonly tenant: string;
  readonly pipeline: string;
  readonly project: string;
  readonly branch: string;
  /** Change id, or the ref for branches and tags. */
  readonly change: string;
  readonly patchset: number;
  readonly job: string;
  readonly attempt: number;
  /** The item's build set key; a job started by hand has its own. */
  readonly buildSet: string;
}

/** What a stage (an ordinary job with `uses:`) works on. At most a few KiB: content travels by digest. */
export interface StageInput {
  readonly build: BuildIdentity;
  readonly stage: Stage;
  /** The job's nodes; a label is a platform's name. */
  readonly nodes: readonly { readonly name: string; readonly label: string }[];
  readonly source: SourceState;
  /** Every project of the item and of the items ahead, with the state that is tested. */
  readonly sources: readonly SourceState[];
  /** Artifacts of the jobs that this one depends on, directly or not. */
  readonly parents: readonly Artifact[];
  /** Artifacts of the items ahead that this job requires, oldest first. */
  readonly provided: readonly ProvidedArtifact[];
  readonly vars: Readonly<Record<string, unknown>>;
  /** Seconds. */
  readonly timeout: number | null;
}

export interface StageResult {
  readonly result: BuildResult;
  /** One line that says what came out, or why it failed: shown in reports and on the page. */
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Input of the `job` workflow: enough to run it again by hand from the Temporal Web UI. */
export interface JobInput {
  readonly tenant: string;
  readonly pipeline: string;
  readonly buildSet: string;
  /** Workflow id of the build set to report to; absent when nobody waits. */
  readonly reportTo?: string;
  readonly change: string;
  readonly patchset: number;
  readonly job: FrozenJob;
  readonly attempt: number;
  readonly source: SourceState;
  readonly sources: readonly SourceState[];
  readonly parents: readonly Artifact[];
  readonly provided: readonly ProvidedArtifact[];
}

/** A frozen graph and prepared state (`StoredGraph`) in artifact storage, as entities carry it. */
export type GraphRef = BlobRef;

export type StoredGraph = { readonly graph: JobGraph; readonly sources: readonly SourceState[] };

/**
 * Commands for a gate. `id` is stable over every retry of the same message: a gate keeps a ledger of the last ones.
 * The pipeline travels with it, so that a gate starts with its first message and learns of a changed configuration
 * with the next.
 */
export interface GateMessage {
  readonly id: string;
  readonly pipeline?: Pipeline;
  readonly commands: readonly GateCommand[];
}

/** Input of the `gate` workflow; everything but the name is what an earlier run hands on. */
export interface GateInput extends GateName {
  /** Forced budget for tests: history events until the gate continues as new. */
  readonly historyBudget?: number;
  /** The state that an earlier run left: itself, or in storage when it is large. */
  readonly carried?: unknown;
  readonly stored?: BlobRef;
}

/** One item of a batch to prepare. `base`: build set key of the state below, null for the branches' tips. */
export interface PrepareItem {
  readonly key: string;
  readonly base: string | null;
  readonly changes: readonly ChangeFacts[];
  readonly ahead: readonly ChangeFacts[];
}

/** States to prepare, each after the one that it stands on; `graphs` has the bases that are prepared already. */
export interface PrepareInput extends GateName {
  readonly items: readonly PrepareItem[];
  readonly graphs: Readonly<Record<string, GraphRef>>;
}

/** The outcome's graph is slim (no variables, secrets, playbooks): `graph` names the whole one. */
export interface Prepared {
  readonly key: string;
  readonly outcome: PrepareOutcome;
  readonly graph: GraphRef | null;
}

export interface SubmitInput extends GateName {
  readonly key: string;
  readonly changes: readonly ChangeFacts[];
  /** What was tested; null for an item that was never prepared. */
  readonly graph: GraphRef | null;
}

/** Things to say and do for a gate, in order; each is idempotent by its key. */
export interface TellInput extends GateName {
  readonly actions: readonly TellAction[];
  /** The changes that the actions name, as the gate knows them. */
  readonly changes: readonly ChangeFacts[];
}

export type TellAction =
  | (ReportRequest & { readonly builds: readonly Build[]; readonly graph: GraphRef | null })
  | { readonly kind: 'supersede'; readonly key: string; readonly change: string; readonly pipelines: readonly string[] }
  | { readonly kind: 'fire'; readonly key: string; readonly event: string; readonly change: string };

/** Input of the `buildSet` workflow. */
export interface BuildSetInput extends BuildSetName {
  readonly queue: string;
  /** Workflow id of the gate to report to. */
  readonly gate: string;
  readonly changes: readonly string[];
  readonly graph: GraphRef;
  readonly permissions: Permissions;
}

export interface BuildSetView {
  readonly result: BuildSetResult | null;
  readonly builds: readonly Build[];
}

/** How a job that was started by hand names itself to its build set. `run` tells two starts of one input apart. */
export interface JobReport {
  readonly job: string;
  readonly workflow: string;
  readonly run: string;
  readonly attempt?: number;
  readonly outcome?: BuildOutcome;
}

/** What the store keeps of one attempt at one job: written when it starts and again when it ends. */
export interface BuildRecord extends BuildIdentity {
  readonly workflow: string;
  readonly stage: Stage | 'script' | 'noop';
  readonly voting: boolean;
  readonly label: string;
  readonly result: BuildResult | null;
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly endTime: number | null;
  /** Started by hand after the item's report, or for no item at all. */
  readonly alone: boolean;
}

/** What the store keeps of one build set. */
export interface BuildSetRecord extends BuildSetName {
  readonly workflow: string;
  readonly queue: string;
  readonly changes: readonly string[];
  readonly result: BuildSetResult | null;
  readonly startTime: number;
  readonly endTime: number | null;
}

/** What the page, the API and `sluice status` show of a gate. A later `sequence` replaces an earlier one. */
export interface QueueSnapshot extends GateName {
  readonly workflow: string;
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly manager: Pipeline['manager'];
  readonly description: string;
  /** Items that may be worked on at once; 0 is no limit. */
  readonly window: number;
  readonly items: readonly ItemSnapshot[];
}

export interface ItemSnapshot {
  readonly id: string;
  /** Id of the item whose state this one stands on; null at the head. */
  readonly ahead: string | null;
  readonly active: boolean;
  readonly changes: readonly {
    readonly id: string;
    readonly project: string;
    readonly branch: string;
    readonly patchset: number;
    readonly subject: string;
    readonly owner: string;
    readonly url?: string;
  }[];
  readonly enqueueTime: number;
  readonly buildSet: string | null;
  /** Workflow id of the build set, for links. */
  readonly workflow: string | null;
  readonly state: 'waiting' | 'preparing' | 'running' | 'failing' | 'merging' | 'reporting';
  /** Why it waits or fails, in one line. */
  readonly reason: string;
  readonly jobs: readonly JobSnapshot[];
}

export interface JobSnapshot {
  readonly key: string;
  readonly name: string;
  readonly voting: boolean;
  readonly dependencies: readonly string[];
  readonly attempt: number;
  readonly result: BuildResult | null;
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly summary: string;
  readonly logUrl?: string;
  readonly artifacts: readonly Artifact[];
  /** Why it has not started. */
  readonly waiting: readonly string[];
}

/** Input of the `release` workflow. */
export interface ReleaseInput {
  readonly tenant: string;
  readonly change: string;
  readonly patchset: number;
  readonly project: string;
  readonly branch: string;
  /** The branch's commit and tree after the merge. */
  readonly merged: SourceState;
  /** `packages` manifests that the gate built, by digest; empty when there are none. */
  readonly manifests: readonly string[];
  readonly buildSet: string;
}

/** What a mirror set's entity is asked: a sync queues up while the set is paused, and the latest wins. */
export interface MirrorRequest {
  readonly action: 'sync' | 'pause' | 'resume';
  /** The release that asks, for the record. */
  readonly release?: string;
}

export interface MirrorView {
  readonly set: string;
  readonly paused: boolean;
  readonly pending: boolean;
  readonly outcome: string | null;
}

export type { PackagesManifest };
