import type { PackageFormat, SourceState } from '../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { ReleaseMetadataInput } from '../../workflows/contract.ts';
import type { PreparedRelease, ReleasedPackage, ReleasePlanRecord, ReleaseRecord } from '../report/types.ts';

export interface PlanBookDeps {
  readonly tenant: string;
  readonly rules: ReleaseRules;
  find(plan: string): Promise<ReleasePlanRecord | undefined>;
  /** @returns false where there is a plan of that name */
  add(record: ReleasePlanRecord): Promise<boolean>;
  /** @returns false where there is no such plan any more */
  save(record: ReleasePlanRecord): Promise<boolean>;
  /** Removes a plan in one of these states. @returns false where none is there */
  remove(plan: string, states: readonly ReleasePlanRecord['state'][]): Promise<boolean>;
  /** Plans that name any of these releases. */
  naming(releases: readonly string[]): Promise<readonly ReleasePlanRecord[]>;
  /** Releases that wait, and those that were taken back. */
  candidates(): Promise<readonly ReleaseRecord[]>;
  releases(ids: readonly string[]): Promise<readonly ReleaseRecord[]>;
  /** The last releases of a project. */
  releasesOf(project: string): Promise<readonly ReleaseRecord[]>;
  releasesOfChange(change: string): Promise<readonly ReleaseRecord[]>;
  recordRelease(record: ReleaseRecord): Promise<void>;
}

/** What one released repository gets by a plan, or has no more. */
export interface PlannedState {
  readonly repository: string;
  readonly codename: string;
  readonly format: PackageFormat;
  readonly builds: readonly Pick<PreparedRelease, 'manifest' | 'signed' | 'envelopes'>[];
  readonly merged: readonly SourceState[];
  /** Keys of packages that a revert takes out; empty for a commit. */
  readonly remove: readonly string[];
  /** What the newest release that stays had put there: what of it is missing by then comes back. */
  readonly restore?: readonly ReleasedPackage[];
  /** Given, it gets other advisories, groups or modules, and no packages come or go. */
  readonly extras?: StoredExtras;
}

/** Advisories, groups and modules in storage, and kinds that go. */
export type StoredExtras = ReleaseMetadataInput['extras'];

/** What is to be done to each repository, or why nothing is. */
export type Begun =
  | { readonly states: readonly PlannedState[]; readonly summary: string }
  | { readonly refused: string };
