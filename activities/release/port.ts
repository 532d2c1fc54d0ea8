import type { BlobRef, PackageFormat, SignedFile } from '../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { MergedState, StateName } from '../git/merged.ts';
import type { BlobStore } from '../ports.ts';
import type { ReleasedWriter } from '../storage/port.ts';
import type { VerifyStatements } from './verify-statement.ts';

export interface ReleaseDeps {
  readonly store: BlobStore;
  /** What the signer shows: read, checked by digest, and copied into our storage. */
  readonly signed: Pick<BlobStore, 'fetch' | 'read'>;
  /** The released repositories: `deb`, `rpm`, and those of the lines. */
  readonly released: ReleasedWriter;
  /** Generations of a released repository that running jobs see: they stay. */
  readonly inUse: (repository: string) => Promise<readonly string[]>;
  readonly origin: string;
  readonly rules: ReleaseRules;
  readonly policy: 'promote' | 'rebuild';
  /** Asks the host whether a branch is or was at a commit. */
  readonly merged: (of: StateName) => Promise<MergedState | null>;
  /** The publisher's own look at the statements of what is to be shown. */
  readonly verify: VerifyStatements;
  /** The public keys that the signer shows for a released repository: the only ones by which its index is checked. */
  readonly archiveKey: (repository: string) => Promise<string>;
}

/** What becomes of one build of the gate after the merge. */
export interface ReleasePlan {
  readonly promote: readonly {
    readonly manifest: string;
    readonly format: PackageFormat;
    /** Absent where an earlier version has looked. */
    readonly build?: string;
  }[];
  /** What has to be built again from the merged branch, or is not shown beside the first, with the reason. */
  readonly rebuild: readonly {
    readonly reason: string;
    /** The gate's build made the source as well, and not for its own architecture alone. */
    readonly whole: boolean;
  }[];
}

/** One build on its way into the released repository; goes through all the steps. */
export interface ReleaseStep {
  /** Unique for the release, and usable as a file name. */
  readonly release: string;
  readonly manifest: string;
  readonly signed: readonly SignedFile[];
}

/** The same once all of it is signed and attested. */
export interface SignedStep extends ReleaseStep {
  readonly envelopes: readonly BlobRef[];
  /** Builds of the same for other architectures, which the same state is to have. Absent: none. */
  readonly beside?: readonly Pick<SignedStep, 'manifest' | 'signed' | 'envelopes'>[];
}

export type StagedRelease =
  /** `before` is the generation that it stands on. */
  | {
      readonly outcome: 'staged';
      /** Absent where an earlier version has staged it: the one that bears the format's name. */
      readonly repository?: string;
      readonly name: string;
      readonly before: string | null;
      readonly index: BlobRef;
      /** Digests of the indexes of repositories below it: that of debug packages. */
      readonly also?: readonly string[];
      /** What goes with it, and what stays although its source makes it no more. */
      readonly notes?: readonly string[];
    }
  /** The repository holds all of it: the release was carried out before. */
  | { readonly outcome: 'unchanged'; readonly repository?: string }
  | { readonly outcome: 'refused'; readonly reason: string };
