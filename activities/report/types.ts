import type { BlobRef, PackageFormat, SignedFile, SourceState } from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { PlannedRelease, RepositoryChange } from '../../pipelines/policy/release-plan.ts';
import type { RepositoryProblem } from '../repository/port.ts';

/** What workflows hand to the report activities besides the records of `workflows/contract.ts`. */

/** What the store keeps of one release: one merge published into one repository. Written at each step. */
export interface ReleaseRecord {
  /** Names what was released, and the released repository: see `releaseRecordId`. */
  readonly id: string;
  /** Workflow id of the release. Absent where an earlier version wrote it down: `id` is. */
  readonly workflow?: string;
  readonly tenant: string;
  readonly project: string;
  readonly branch: string;
  readonly change: string;
  readonly patchset: number;
  readonly commit: string;
  readonly tree: string;
  /** The gate's packages as they are, or built again; null while that is not decided. */
  readonly origin: 'promoted' | 'rebuilt' | null;
  readonly state: 'running' | 'waiting' | 'published' | 'failed' | 'excluded' | 'reverted' | 'superseded';
  /** One line: what was published, or why not. */
  readonly summary: string;
  /**
   * Id of the build whose packages these are, but for those that name their own; absent while that is not decided, or
   * where an earlier version wrote it.
   */
  readonly build?: string;
  readonly packages: readonly ReleasedPackage[];
  /** Where clients find what was released. */
  readonly repositories: readonly ReleasedAt[];
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly endTime: number | null;
  /** Other runs of the same release, in the order in which they were told. */
  readonly attempts?: readonly ReleaseAttempt[];
  /** Signed and proven, for a release plan to show: of what is released by plans. */
  readonly prepared?: PreparedRelease;
}

/** A build that needs nothing more to be shown in its released repository. */
export interface PreparedRelease {
  readonly format: PackageFormat;
  readonly repository: string;
  readonly platform: string;
  /** Id of the build that made the packages. */
  readonly build: string;
  readonly manifest: string;
  readonly merged: SourceState;
  readonly signed: readonly SignedFile[];
  readonly envelopes: readonly BlobRef[];
}

/** What the store keeps of a release plan: builds that are shown together, or not at all. */
export interface ReleasePlanRecord {
  /** Its name, unique in the tenant. */
  readonly id: string;
  readonly tenant: string;
  readonly state: 'planned' | 'running' | 'published' | 'failed' | 'reverted';
  readonly builds: readonly PlannedRelease[];
  /** One line: what came of it, or why nothing did. */
  readonly summary: string;
  /** Who did what to it, oldest first. */
  readonly deeds: readonly { readonly did: 'plan' | PlanAction; readonly by: string; readonly time: number }[];
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly endTime: number | null;
}

export type PlanAction = 'commit' | 'revert';

/** What a plan does to one released repository. */
export interface RepositoryPreview extends RepositoryChange {
  /** What `repo check` finds afterwards and does not find now. */
  readonly problems: readonly RepositoryProblem[];
  /** Why the repository would not take it; null where it would. */
  readonly refused: string | null;
  /** What was not looked at, and why; null where everything was. */
  readonly unchecked: string | null;
  /** What its sources make no more and older versions that go, and what stays nevertheless, a sentence each. */
  readonly notes: readonly string[];
}

/** What carrying a plan out, or taking it back, would do. */
export interface PlanPreview {
  readonly plan: string;
  readonly action: PlanAction;
  readonly repositories: readonly RepositoryPreview[];
}

/** What became of a plan. */
export interface PlanDone {
  readonly plan: string;
  readonly summary: string;
}

/** A released repository. */
interface ReleasedAt {
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
  /** Fingerprint of the key that signed the file itself. */
  readonly key?: string;
  /** Id of its build, where that was for another architecture than the release's own. */
  readonly build?: string;
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
