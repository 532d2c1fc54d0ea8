import type { PackagesManifest, SourceState } from '../pipelines/model/artifact.ts';
import type { Artifact, BuildResult, FrozenJob, JobGraph, ProvidedArtifact, Stage } from '../pipelines/model/job.ts';

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
  /** Workflow id of the build set or gate to report to; absent when nobody waits. */
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

/** A frozen graph and prepared state in artifact storage, as entities carry it. */
export interface GraphRef {
  readonly digest: string;
  readonly size: number;
}

export type StoredGraph = { readonly graph: JobGraph; readonly sources: readonly SourceState[] };

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

export type { PackagesManifest };
