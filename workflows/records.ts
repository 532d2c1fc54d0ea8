import type { Undelivered } from '../pipelines/gate/state.ts';
import type { Artifact, BuildResult, BuildSetResult, Stage } from '../pipelines/model/job.ts';
import type { LineComment } from '../pipelines/model/line-comment.ts';
import type { Pipeline } from '../pipelines/model/pipeline.ts';
import type { BuildSetName, GateName } from './ids.ts';
import type { BuildIdentity, ReleasedGenerations, StageTiming } from './stage.ts';

/** What the store keeps of one attempt at one job: written when it starts and again when it ends. */
export interface BuildRecord extends BuildIdentity {
  readonly workflow: string;
  /** The workflow's run; absent in records from before it was kept. */
  readonly run?: string;
  readonly stage: Stage | 'script' | 'noop';
  readonly voting: boolean;
  readonly label: string;
  readonly result: BuildResult | null;
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  /** What it found in files of the change. */
  readonly comments?: readonly LineComment[];
  /** Milliseconds since the epoch: when the work began; until it does, when the job came. */
  readonly startTime: number;
  readonly endTime: number | null;
  /** The work has not begun: something that it takes is not free yet. Stays where it ended without having begun. */
  readonly waiting?: true;
  /** Started by hand after the item's report, or for no item at all. */
  readonly alone: boolean;
  /** Started by hand, and this build set waits for it under this job's key. */
  readonly adopted?: { readonly workflow: string; readonly job: string };
  readonly timing?: StageTiming;
  /** What it sees of the released repositories: kept for as long as it runs. */
  readonly released?: ReleasedGenerations;
}

/** What the store keeps of one build set. */
export interface BuildSetRecord extends BuildSetName {
  readonly workflow: string;
  readonly queue: string;
  readonly changes: readonly string[];
  readonly result: BuildSetResult | null;
  readonly startTime: number;
  readonly endTime: number | null;
  /** What its jobs see of the released repositories: kept for as long as it runs. */
  readonly released?: ReleasedGenerations;
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
  /** Reports that were given up, the latest last. Absent: none. */
  readonly undelivered?: readonly Undelivered[];
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
    /** Work in progress. */
    readonly wip?: true;
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
  /** Keys of the jobs that are to run again, and have not begun to. */
  readonly asked?: readonly string[];
}

export interface JobSnapshot {
  readonly key: string;
  readonly name: string;
  readonly voting: boolean;
  readonly dependencies: readonly string[];
  /** 0 while none stands for it. */
  readonly attempt: number;
  /** Attempts that were made and stand for it no more, where there is none that does. */
  readonly before?: number;
  readonly result: BuildResult | null;
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly summary: string;
  readonly logUrl?: string;
  readonly artifacts: readonly Artifact[];
  /** Why it has not started. */
  readonly waiting: readonly string[];
}
