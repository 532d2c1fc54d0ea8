import type { ExtraKind } from '../pipelines/formats/rpm/extra-kinds.ts';

/** Input of the `releasePlan` workflow. */
export interface ReleasePlanInput {
  readonly tenant: string;
  readonly plan: string;
  readonly action: 'commit' | 'revert';
  /** Who asks, as the way in proved. */
  readonly by: string;
}

/** Input of the `releaseMetadata` workflow. */
export interface ReleaseMetadataInput {
  readonly tenant: string;
  /** A released repository of RPM packages. */
  readonly repository: string;
  /** Advisories, groups and modules that it is to have, and kinds that go. */
  readonly extras: {
    readonly given: readonly { readonly kind: ExtraKind; readonly name: string; readonly digest: string }[];
    readonly remove: readonly ExtraKind[];
  };
  /** Who asks, as the way in proved. */
  readonly by: string;
}

/** Result of both: `ok: false` when nothing was shown. */
export interface ReleasePlanOutcome {
  readonly ok: boolean;
  readonly summary: string;
}
