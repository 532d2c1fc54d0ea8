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
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly node?: string;
  readonly artifacts: readonly Artifact[];
  /** One line for the report: why it failed, what it produced. */
  readonly summary?: string;
  readonly logUrl?: string;
  /** What the job returned for the jobs that depend on it. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly childJobs?: readonly string[];
}

/** The progress of one item's job graph: the state of the `buildSet` workflow, and of each item in the gate. */
export interface BuildSetState {
  readonly graph: JobGraph;
  /** Every attempt, in order of creation. */
  readonly builds: readonly Build[];
  readonly canceled: boolean;
}

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
}

/** What a build ended with, as the `job` workflow or the simulator reports it. */
export interface BuildOutcome {
  readonly result: BuildResult;
  readonly time: number;
  readonly artifacts?: readonly Artifact[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly childJobs?: readonly string[];
  readonly summary?: string;
  readonly logUrl?: string;
  /** RETRY only: the next attempt uses the next nodeset alternative. */
  readonly nextAlternative?: boolean;
}
