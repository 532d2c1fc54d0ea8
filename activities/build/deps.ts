import type { Platform } from '../../pipelines/model/platform.ts';
import type { LineOf } from '../../pipelines/model/release-line.ts';
import type { Attestor } from '../attest/attestor.ts';
import type { WholeTree } from '../install/exercise.ts';
import type { ReleasedRepositories } from '../nodes/packages/port.ts';
import type { BlobStore } from '../ports.ts';

export interface BuildStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  readonly released: ReleasedRepositories;
  /** Why a version is not to be released where it would be; null where it is. Absent for builds by hand. */
  readonly versionFault?: (of: LineOf & { readonly version: string }) => string | null;
  /** Writes the tree of a commit, with its history in `.git` where it has one. */
  readonly sources: WholeTree;
  /** Signs for what was built; absent for builds by hand, which nobody releases. */
  readonly attestor?: Attestor;
  /** Digest of the program that builds; absent: its builds stand for no others. */
  readonly recipe?: () => Promise<string>;
}
