import type { Artifact } from '../../pipelines/model/job.ts';

/** What workflows hand to the report activities besides the records of `workflows/contract.ts`. */

/** What the store keeps of one release: one merge published into one repository. Written at each step. */
export interface ReleaseRecord {
  /** Workflow id of the release. */
  readonly id: string;
  readonly tenant: string;
  readonly project: string;
  readonly branch: string;
  readonly change: string;
  readonly patchset: number;
  readonly commit: string;
  readonly tree: string;
  /** The gate's packages as they are, or built again; null while that is not decided. */
  readonly origin: 'promoted' | 'rebuilt' | null;
  readonly state: 'running' | 'published' | 'failed' | 'excluded';
  /** One line: what was published, or why not. */
  readonly summary: string;
  readonly packages: readonly ReleasedPackage[];
  /** Where clients find what was released. */
  readonly repositories: readonly ReleasedAt[];
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly endTime: number | null;
  /** Other runs of the same release, in the order in which they were told. */
  readonly attempts?: readonly ReleaseAttempt[];
}

/** A released repository. */
export interface ReleasedAt {
  readonly format: string;
  /** Absent where an earlier version wrote it down: the format's. */
  readonly name?: string;
  readonly url: string;
}

/** A run of a release that another one stands for. */
export type ReleaseAttempt = Pick<ReleaseRecord, 'state' | 'summary' | 'startTime' | 'endTime'>;

export interface ReleasedPackage {
  readonly format: string;
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Digest of the signed file. */
  readonly digest: string;
  /** Digest of the signed provenance statement. */
  readonly provenance?: string;
}

/**
 * What the store keeps of one mirror transaction: `artifacts` has the list of the packages that it moved, `result`
 * what `sluice mirror sync --json` prints.
 */
export interface MirrorRecord {
  /** Unique for the transaction. */
  readonly id: string;
  readonly set: string;
  readonly snapshot: string | null;
  readonly outcome: 'running' | 'committed' | 'unchanged' | 'failed' | 'partial' | 'diverged';
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly artifacts: readonly Artifact[];
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly endTime: number | null;
}
