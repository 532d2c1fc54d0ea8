import type { ConfigNotice } from '../../pipelines/report/config-notice.ts';
import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../../workflows/contract.ts';
import type { MirrorRecord, ReleaseRecord } from './types.ts';

/** Where reports are written. Every call may be repeated; an older state never replaces a newer one. */
export interface ReportStore {
  /** Answers whether the snapshot is newer than what was known. */
  saveQueue(snapshot: QueueSnapshot): Promise<boolean>;
  saveBuildSet(record: BuildSetRecord): Promise<boolean>;
  saveBuild(record: BuildRecord): Promise<boolean>;
  saveRelease(record: ReleaseRecord): Promise<boolean>;
  saveMirror(record: MirrorRecord): Promise<boolean>;
  /** The ledger of what was said in review systems, by the action's key. */
  wasTold(key: string): Promise<boolean>;
  markTold(key: string): Promise<void>;
  forgetTold(key: string): Promise<void>;
  /** Keys of it that begin so. */
  listTold(start: string): Promise<readonly string[]>;
}

/** What the page and `sluice watch` are told as it happens. */
export type LiveEvent =
  | { readonly type: 'queue'; readonly data: QueueSnapshot }
  | { readonly type: 'build-set'; readonly data: BuildSetRecord }
  | { readonly type: 'build'; readonly data: BuildRecord }
  | { readonly type: 'release'; readonly data: ReleaseRecord }
  | { readonly type: 'mirror'; readonly data: MirrorRecord }
  | { readonly type: 'configuration'; readonly data: ConfigNotice | null };
