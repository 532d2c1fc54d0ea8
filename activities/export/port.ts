import type { ExportDescription } from '../../pipelines/export/description.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { BuildSetView } from '../../workflows/contract.ts';
import type { BringModules } from '../git/modules.ts';
import type { Git } from '../git/port.ts';
import type { BlobStore } from '../ports.ts';
import type { ReleasedTrees, Trees } from '../storage/port.ts';

/** Something that a build set worked with is not kept any more; the message says what. */
export class NotKept extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotKept';
  }
}

/** Where the parts of an export come from. */
export interface ExportDeps {
  /** What a workflow was started with; undefined where nobody knows any more. */
  readonly inputOf: (workflow: string) => Promise<unknown>;
  /** How a build set stands; undefined likewise. */
  readonly viewOf: (workflow: string) => Promise<BuildSetView | undefined>;
  readonly blobs: Pick<BlobStore, 'read' | 'fetch'>;
  readonly git: Pick<Git, 'bundle' | 'branchTip' | 'resolve'>;
  /** Has the submodules of a commit in the repository of its project. */
  readonly modules: BringModules;
  readonly trees: Pick<Trees, 'paths' | 'open'>;
  readonly released: Pick<ReleasedTrees, 'has' | 'list' | 'fetch'>;
  /** Public half of the key that signs released repositories. */
  readonly archiveKey: () => Promise<string | undefined>;
  readonly release: ReleaseRules & { readonly origin: string };
  readonly platform: (label: string) => Platform | undefined;
  /** What virtual machines are restored from. */
  readonly snapshots: () => Promise<ExportDescription['snapshots']>;
}
