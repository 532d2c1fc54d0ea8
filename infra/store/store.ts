import type { ReportStore } from '../../activities/report/port.ts';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../../workflows/contract.ts';
import {
  type BuildFilter,
  estimates,
  findBuild,
  listBuildSets,
  listBuilds,
  saveBuild,
  saveBuildSet,
} from './builds.ts';
import { type Database, openEmbeddedDatabase } from './database.ts';
import { listQueues, markTold, saveQueue, wasTold } from './queues.ts';
import { listReferrers, type Referrer } from './references.ts';
import { listMirrors, listReleases, saveMirror, saveRelease } from './releases.ts';
import { listRunning } from './running.ts';

/** What happened, kept past Temporal's retention: written by the report activities, read by the server. */
export interface Store extends ReportStore {
  listQueues(): Promise<QueueSnapshot[]>;
  findBuild(id: string): Promise<BuildRecord | undefined>;
  listBuilds(filter: BuildFilter): Promise<BuildRecord[]>;
  listBuildSets(filter: BuildFilter): Promise<BuildSetRecord[]>;
  /** `PROJECT JOB` to the mean time in milliseconds of its last successful builds. */
  estimates(): Promise<Record<string, number>>;
  listReleases(limit: number): Promise<ReleaseRecord[]>;
  listMirrors(limit: number): Promise<MirrorRecord[]>;
  /** What may name stored content: all that goes on, ended after `since` (milliseconds), or was released. */
  listReferrers(since: number): AsyncIterable<Referrer>;
  /** All that is recorded as going on, oldest first. */
  listRunning(): Promise<RunningRecords>;
  /** Ends once everything is on the disk. */
  close(): Promise<void>;
}

/** Opens the embedded store; see `openEmbeddedDatabase`. */
export async function openStore(directory: string): Promise<Store> {
  return createStore(await openEmbeddedDatabase(directory));
}

export function createStore(db: Database): Store {
  return {
    saveQueue: (snapshot) => saveQueue(db, snapshot),
    saveBuild: (record) => saveBuild(db, record),
    saveBuildSet: (record) => saveBuildSet(db, record),
    saveRelease: (record) => saveRelease(db, record),
    saveMirror: (record) => saveMirror(db, record),
    wasTold: (key) => wasTold(db, key),
    markTold: (key) => markTold(db, key),
    listQueues: () => listQueues(db),
    findBuild: (id) => findBuild(db, id),
    listBuilds: (filter) => listBuilds(db, filter),
    listBuildSets: (filter) => listBuildSets(db, filter),
    estimates: () => estimates(db),
    listReleases: (limit) => listReleases(db, limit),
    listMirrors: (limit) => listMirrors(db, limit),
    listReferrers: (since) => listReferrers(db, since),
    listRunning: () => listRunning(db),
    close: () => db.destroy(),
  };
}
