import type { Artifact, BuildResult, JobGraph, ProvidedArtifact } from '../model/job.ts';

/** One attempt at one job. Times are milliseconds since the epoch. */
export interface Build {
  /** `JOBKEY/ATTEMPT`, unique in the build set. */
  readonly key: string;
  readonly job: string;
  readonly attempt: number;
  readonly result: BuildResult | null;
  readonly paused: boolean;
  /** A failure that was seen before the build ended. */
  readonly failing: boolean;
  /** Null for a build that never ran: skipped, refused, cancelled before its start, or without nodes or semaphores. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly node?: string;
  /** What a build waits for that has its place, and does not run yet. */
  readonly waiting?: readonly string[];
  readonly artifacts: readonly Artifact[];
  /** One line for the report: why it failed, what it produced. */
  readonly summary?: string;
  /** Lines that the report says besides: warnings, comments on files. */
  readonly remarks?: readonly string[];
  readonly logUrl?: string;
  /** What the job returned for the jobs that depend on it. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly childJobs?: readonly string[];
  /** The build no longer stands for its job: it was retried, or the job was run again. */
  readonly superseded?: true;
  /** Skipped because there is nothing to do: it said so itself (a package for other platforms), or what it needs did. */
  readonly excluded?: true;
  /** The next attempt uses the next nodeset alternative. */
  readonly nextAlternative?: true;
}

/** The progress of one item's job graph: the state of the `buildSet` workflow, and of each item in the gate. */
export interface BuildSetState {
  readonly graph: JobGraph;
  /** Every attempt, in order of creation. */
  readonly builds: readonly Build[];
  /** Nothing more is to be started, and nothing is to go on. */
  readonly canceled: boolean;
  /** The item has been reported, and its reporter jobs may run. */
  readonly reporting: boolean;
  /** Job key to the number of attempts that had been made when the job was last run again by hand. */
  readonly spent: Readonly<Record<string, number>>;
}

/** What can happen to a build set. `build` is a build's key, `job` a job's key. Times are milliseconds. */
export type BuildSetEvent =
  | { readonly type: 'started'; readonly build: string; readonly time: number; readonly node?: string }
  /** A started build cannot run yet, for these reasons; without a reason, now it can. */
  | { readonly type: 'waiting'; readonly build: string; readonly reasons: readonly string[]; readonly time: number }
  | { readonly type: 'failing'; readonly build: string }
  | { readonly type: 'paused'; readonly build: string; readonly outcome: BuildOutcome }
  | { readonly type: 'ended'; readonly build: string; readonly outcome: BuildOutcome }
  /** A requirement of the job can never be met: it fails without having run. */
  | { readonly type: 'refused'; readonly job: string; readonly reason: string; readonly time: number }
  /** Run an ended job again, `whole`: with all that used what it made. */
  | { readonly type: 'retrigger'; readonly job: string; readonly whole?: true }
  | { readonly type: 'canceled'; readonly time: number }
  /** The item has been reported: now its reporter jobs run. */
  | { readonly type: 'reported' };

/**
 * What the gate knows and the build set does not: why a job that is otherwise ready may not start yet, and what
 * the items ahead provide. The gate sends it whenever it changes.
 */
export interface Permissions {
  /** Job key to the reasons why it must wait (`hold: …`, `requirements: …`, `semaphores: …`); absent means free. */
  readonly waiting: Readonly<Record<string, readonly string[]>>;
  /** Job key to a reason why it can never run: its result is FAILURE. */
  readonly refused: Readonly<Record<string, string>>;
  /** Job key to the artifacts of the items ahead that it requires. */
  readonly artifacts: Readonly<Record<string, readonly ProvidedArtifact[]>>;
  /** Lower runs first when nodes are scarce. */
  readonly priority: number;
  /** The item has been reported: its reporter jobs may run. */
  readonly reported?: true;
}

/** What a build ended with, as the `job` workflow or the simulator reports it. */
export interface BuildOutcome {
  readonly result: BuildResult;
  readonly time: number;
  /** When its work began, where it did: what is said of that on the way may come later, or never. */
  readonly startTime?: number;
  readonly artifacts?: readonly Artifact[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly childJobs?: readonly string[];
  readonly summary?: string;
  readonly remarks?: readonly string[];
  readonly logUrl?: string;
  /**
   * RETRY and NODE_FAILURE only: the next attempt uses the next nodeset alternative. After a NODE_FAILURE there is always
   * one, for the job has not been tried.
   */
  readonly nextAlternative?: boolean;
}
