/** What the API answers with: the page and the command line read these types, and nothing else of the server. */
import type {
  BuildRow as BuildRecord,
  BuildSetRow as BuildSetRecord,
  MirrorView as MirrorRecord,
  QueueView as QueueSnapshot,
  ReleaseView as ReleaseRecord,
} from './views.ts';

export type { ItemSnapshot, JobSnapshot } from '../../workflows/contract.ts';
export type { BuildRecord, BuildSetRecord, MirrorRecord, QueueSnapshot, ReleaseRecord };

/** `GET /api/status`: everything that the page shows. */
export interface StatusView {
  /** The server's clock, milliseconds since the epoch. */
  readonly time: number;
  /** Where Temporal's Web UI shows a workflow: the id follows, percent-encoded. Null: there is no Web UI. */
  readonly workflowUrl: string | null;
  readonly queues: readonly QueueSnapshot[];
  /** Builds that have not ended: what a queue's running jobs link to. */
  readonly running: readonly BuildRecord[];
  /** Newest first. */
  readonly buildSets: readonly BuildSetRecord[];
  /** The build that decided against each of the build sets that failed. */
  readonly failures: readonly BuildRecord[];
  readonly releases: readonly ReleaseRecord[];
  readonly mirrors: readonly MirrorRecord[];
  /** Configured sets without any transaction. */
  readonly unsyncedMirrors?: readonly string[];
  /** `PROJECT JOB` to how long the last successful builds took, in milliseconds. */
  readonly estimates: Readonly<Record<string, number>>;
}

/** `GET /api/builds/ID`. */
export interface BuildView {
  readonly build: BuildRecord;
  readonly logs: readonly { readonly name: string; readonly url: string; readonly complete: boolean }[];
  /** Every attempt at the same job of the same change, newest first. */
  readonly attempts: readonly BuildRecord[];
  readonly workflowUrl: string | null;
}

/** Every answer that is not what was asked for. */
export interface ApiError {
  /** What is wrong and how to mend it. */
  readonly error: string;
}

/** The answer to everything that acts. */
export interface Acted {
  readonly ok: boolean;
  readonly reason?: string;
}
