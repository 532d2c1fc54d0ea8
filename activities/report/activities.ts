import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../../workflows/contract.ts';
import type { LiveEvent, ReportStore } from './port.ts';
import type { MirrorRecord, ReleaseRecord } from './types.ts';

export interface ReportDeps {
  readonly store: ReportStore;
  /** Tells those who watch; what is not new is not told. */
  readonly publish: (event: LiveEvent) => void;
}

/** What workflows write down for people: each may be called again with the same, and late calls undo nothing. */
export function createReportActivities({ store, publish }: ReportDeps) {
  return {
    async projectQueue(data: QueueSnapshot): Promise<void> {
      if (await store.saveQueue(data)) publish({ type: 'queue', data });
    },
    async recordBuildSet(data: BuildSetRecord): Promise<void> {
      if (await store.saveBuildSet(data)) publish({ type: 'build-set', data });
    },
    async recordBuild(data: BuildRecord): Promise<void> {
      if (await store.saveBuild(data)) publish({ type: 'build', data });
    },
    async recordRelease(data: ReleaseRecord): Promise<void> {
      if (await store.saveRelease(data)) publish({ type: 'release', data });
    },
    async recordMirror(data: MirrorRecord): Promise<void> {
      if (await store.saveMirror(data)) publish({ type: 'mirror', data });
    },
  };
}

export type ReportActivities = ReturnType<typeof createReportActivities>;
