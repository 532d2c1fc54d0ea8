import type { FireAction, ReportRequest, SupersedeAction } from '../pipelines/gate/action.ts';
import type { ChangeFacts, GateCommand, GateLimits, PrepareOutcome } from '../pipelines/gate/command.ts';
import type { FirstGateMemory, GateMemory } from '../pipelines/gate/memory.ts';
import type { Build, BuildOutcome, Permissions } from '../pipelines/jobs/state.ts';
import type { MergeMode } from '../pipelines/language/stanza.ts';
import type { BlobRef, MergeStep, SourceState } from '../pipelines/model/artifact.ts';
import type { Artifact, BuildSetResult, FrozenJob, JobGraph, ProvidedArtifact } from '../pipelines/model/job.ts';
import type { ConnectionRule, Pipeline } from '../pipelines/model/pipeline.ts';
import type { NodelessStage } from '../pipelines/nodes/wanted.ts';
import type { BuildSetName, GateName } from './ids.ts';
import type { NodesNeed } from './nodes-contract.ts';
import type { ReleasedGenerations, ReuseOffer, StageInput } from './stage.ts';

/** Task queues. Workflows and quick activities run on `control`; long work on the others. */
export const taskQueues = {
  control: 'control',
  build: (arch: string) => `build-${arch}`,
  /** Of the same workers: stages that take no node have places of their own, and so wait for no build. */
  nodeless: (stage: NodelessStage, arch: string) => `${stage}-${arch}`,
  /** What must happen on the very machine where a container is. */
  host: (name: string) => `host-${name}`,
  sign: 'sign',
} as const;

/** The type of the failure by which an activity refuses what may not be done, whoever asks: its message says why. */
export const refusedFault = 'Refused';

/** Input of the `job` workflow: enough to run it again by hand from the Temporal Web UI. `queue`: the gate's of its change. */
export interface JobInput extends Partial<Pick<GateName, 'queue'>> {
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
  /** Test repositories of what was merged and not released when the build set began; absent: when the job begins. */
  readonly unreleased?: readonly ProvidedArtifact[];
  /** What was released when the build set began; absent: looked up when the job starts. */
  readonly released?: ReleasedGenerations;
  /** The pipeline's, for what is scarce: lower is served first. Absent: as in a pipeline of normal precedence. */
  readonly priority?: number;
  /** Names of the job's variables that the jobs it depends on have returned; absent: none. */
  readonly returned?: readonly string[];
}

/** A frozen graph and prepared state (`StoredGraph`) in artifact storage, as entities carry it. */
export type GraphRef = BlobRef;

/** All that running an item's jobs needs; `changes` are the item's own, in merge order. */
export interface StoredGraph {
  readonly graph: JobGraph;
  /** Every project of the item and of the items ahead, as they are with the item merged. */
  readonly sources: readonly SourceState[];
  /** What each of several changes has made, in order. */
  readonly steps?: readonly MergeStep[];
  readonly changes: readonly ChangeRef[];
  /** Branches whose configuration the item, or one ahead of it, changes. */
  readonly reconfigured: readonly { readonly project: string; readonly branch: string }[];
}

/** What a build set works with from its start to its end, so that all of its jobs see one state of the world. */
export interface BuildSetStart extends StoredGraph {
  /**
   * Node label to the test repositories of merged changes that its released repository lacks, oldest first; absent
   * where a build set began before they were looked up at its start.
   */
  readonly unreleased?: Readonly<Record<string, readonly ProvidedArtifact[]>>;
  /** Absent likewise. */
  readonly released?: ReleasedGenerations;
}

/** A patch set, as far as running jobs for it goes. */
export interface ChangeRef {
  readonly id: string;
  readonly patchset: number;
  readonly project: string;
  readonly branch: string;
  /** That its project names: it was merged so. */
  readonly mergeMode?: MergeMode;
}

/**
 * Commands for a gate. `id` is stable over every retry of the same message: a gate keeps a ledger of the last ones.
 * The pipeline travels with it, so that a gate starts with its first message and learns of a changed configuration
 * with the next.
 */
export interface GateMessage {
  readonly id: string;
  readonly pipeline?: Pipeline;
  readonly limits?: GateLimits;
  readonly commands: readonly GateCommand[];
  /** Workflow id of the build set that tells it, and the run that speaks: another one after a reset. */
  readonly from?: string;
  readonly run?: string;
}

/** Input of the `gate` workflow; everything but the name is what an earlier run hands on. */
export interface GateInput extends GateName {
  /** Forced budget for tests: history events until the gate continues as new. */
  readonly historyBudget?: number;
  /** What an earlier run left. */
  readonly carried?: GateMemory | FirstGateMemory;
  /** The same in artifact storage, as the first version handed it on when it was large. */
  readonly stored?: BlobRef;
}

/** One item of a batch to prepare. `base`: build set key of the state below, null for the branches' tips. */
export interface PrepareItem {
  readonly key: string;
  readonly base: string | null;
  readonly changes: readonly ChangeFacts[];
  readonly ahead: readonly ChangeFacts[];
  /** Key of the change whose event brought the item in: its jobs stand for identical ones of the others. */
  readonly trigger: string;
}

/** States to prepare, each after the one that it stands on; `graphs` has the bases that are prepared already. */
export interface PrepareInput extends GateName {
  readonly items: readonly PrepareItem[];
  readonly graphs: Readonly<Record<string, GraphRef>>;
}

/** The outcome's graph is slim (no variables, secrets, playbooks): `graph` names the whole one. */
export interface PreparedItem {
  readonly key: string;
  readonly outcome: PrepareOutcome;
  readonly graph: GraphRef | null;
}

/** What became of each item; those that stand on one that failed are left out, and are asked for again. */
export type Prepared = PreparedItem | FailedAction;

/** An action that was not carried out, and may be when it is tried again. */
export interface FailedAction {
  readonly key: string;
  /** `away`: whoever should do it does not answer, to anybody. `refused`: this one is not taken. */
  readonly failed: 'away' | 'refused';
  readonly reason: string;
}

export interface SubmitInput extends GateName {
  readonly key: string;
  readonly changes: readonly ChangeFacts[];
  readonly rules: readonly ConnectionRule[];
  /** What was tested; null for an item that was never prepared. */
  readonly graph: GraphRef | null;
  /** What will be reported of the success, and the life of the gate that says so: hosts may say it with their votes. */
  readonly report?: { readonly life: string } & Pick<ReportRequest, 'key' | 'action' | 'message'>;
}

/** What became of a submission. `away`: why nobody answered; `broken`: what is wrong with this one, perhaps for now. */
export interface Submitted {
  /** Keys of the patch sets that are merged. */
  readonly merged: readonly string[];
  readonly refused?: string;
  /** The branch is no longer what was tested: what is left may be tested again. */
  readonly moved?: string;
  readonly away?: string;
  readonly broken?: string;
  /** Keys of those of which the host could not say, beside what is broken, whether they are merged. */
  readonly unknown?: readonly string[];
}

/** Things to say and do for a gate, in order; each is idempotent by its key. */
export interface TellInput extends GateName {
  /** Names the gate's life: its actions are numbered from the beginning when it starts anew. */
  readonly life: string;
  readonly actions: readonly TellAction[];
}

/** What became of each action; those of a change that wait for an earlier one that failed are left out. */
export type Told = { readonly key: string } | FailedAction;

export type TellAction = ReportRequest | SupersedeAction | FireAction;

/** Input of the `buildSet` workflow. */
export interface BuildSetInput extends BuildSetName {
  /** What it does as of which day: `buildSetEdition` when it was started; absent where patches say it. */
  readonly edition?: number;
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
  /** What it was started with, where it asks to be adopted. */
  readonly input?: JobInput;
  readonly attempt?: number;
  readonly outcome?: BuildOutcome;
}

/** What a started job waits for before it runs; no reasons: it runs. */
export interface JobWaiting {
  readonly job: string;
  readonly attempt: number;
  readonly reasons: readonly string[];
}

/** What a job tells its build set while it goes on: that it is failing, or, with an outcome so far, that it pauses. */
export interface JobNews {
  readonly job: string;
  readonly attempt: number;
  readonly workflow: string;
  readonly paused?: BuildOutcome;
}

/**
 * What a job does, by a number in what it begins with, as `buildSetEdition` is in a build set's input. It begins by a local
 * activity: one that was asked how it stands meanwhile stopped, when its history was played again, at the first patch that
 * it was asked for after that.
 *
 * - 2 (2026-11-30): all that patches say.
 */
export const jobEdition = 2;

/** Who a job is when it starts: allotted once, and recorded in the workflow's history. */
export interface JobStart {
  /** What the job does as of which day: `jobEdition` when it began; absent where patches say it. */
  readonly edition?: number;
  /** The build's id, unique for each start. */
  readonly build: string;
  readonly attempt: number;
  /** Task queue of the workers for the job's nodes. */
  readonly queue: string;
  /** Started by hand, and its build set waits for it. */
  readonly adopted: boolean;
  /** Started by hand, and nobody waits for the result. */
  readonly alone: boolean;
  /** Test repositories of changes that have merged and are not released yet, oldest first. */
  readonly unreleased: readonly ProvidedArtifact[];
  readonly released?: ReleasedGenerations;
  readonly reuse?: ReuseOffer;
  /** Why it cannot run at all, in one line. */
  readonly refused?: string;
  /** What it must be lent before it runs; absent where nobody counts. */
  readonly nodes?: NodesNeed;
  /** Milliseconds after which a job that no worker has begun says so; absent in those that began before any did. */
  readonly patience?: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Result of the `job` workflow. */
export interface JobResult {
  readonly build: string;
  readonly attempt: number;
  readonly outcome: BuildOutcome;
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
  /** `packages` manifests of the gate, by digest: the platform's own, then those shown with it; empty for none. */
  readonly manifests: readonly string[];
  readonly buildSet: string;
}

/** Input of the `release` workflow: the job that it is, and the queue of the workers for a build, should it need one. */
export interface ReleaseRun {
  readonly stage: StageInput;
  readonly queue: string;
}

export type { HeldStage, HoldGrant, HoldsInput } from './holds-contract.ts';
export type * from './mirror-contract.ts';
export type { BuildRecord, BuildSetRecord, ItemSnapshot, JobSnapshot, QueueSnapshot } from './records.ts';
export type * from './release-plan-contract.ts';
export type * from './stage.ts';
