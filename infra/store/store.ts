import { sql } from 'kysely';
import type { PlanBookDeps } from '../../activities/release/plan-port.ts';
import type { ReportStore } from '../../activities/report/port.ts';
import type { ReleasePlanRecord } from '../../activities/report/types.ts';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import type { OccurrenceStore } from '../../server/ingest/port.ts';
import type { Acts, Records } from '../../server/port.ts';
import { createActs } from './acts.ts';
import { estimates, findBuild, listBuildSets, listBuilds, saveBuild, saveBuildSet } from './builds.ts';
import { openEmbeddedDatabase, type TenantRows } from './database.ts';
import { createOccurrences } from './occurrences.ts';
import { forgetTold, listQueues, listTold, markTold, saveQueue, wasTold } from './queues.ts';
import { listReferrers, type Referrer } from './references.ts';
import {
  addReleasePlan,
  findReleasePlan,
  findReleases,
  listPlannable,
  listPlansNaming,
  listReleasePlans,
  removeReleasePlan,
  saveReleasePlan,
} from './release-plans.ts';
import { listMirroredSets, listMirrors, listReleases, saveMirror, saveRelease } from './releases.ts';
import { listRunning } from './running.ts';

/** What happened, kept past Temporal's retention: written by the report activities, read by the server. */
export interface Store extends ReportStore, Records {
  /** What may name stored content: all that goes on, ended after `since` (milliseconds), or was released. */
  listReferrers(since: number): AsyncIterable<Referrer>;
  /** All that is recorded as going on, oldest first. */
  listRunning(): Promise<RunningRecords>;
  readonly plans: ReleasePlanRows;
  /** What review systems have told. */
  readonly occurrences: OccurrenceStore;
  /** What people asked for. */
  readonly acts: Acts;
  /** Lets the room of rows that are no more be used again: PGlite says `autovacuum = on`, and does it never. */
  vacuum(): Promise<void>;
  /** Ends once everything is on the disk. */
  close(): Promise<void>;
}

/** Release plans, and the releases that they are about. */
export interface ReleasePlanRows
  extends Pick<PlanBookDeps, 'add' | 'save' | 'remove' | 'find' | 'naming' | 'candidates' | 'releases'> {
  list(limit: number): Promise<readonly ReleasePlanRecord[]>;
}

/** Opens the embedded store for a tenant; see `openEmbeddedDatabase`. */
export async function openStore(directory: string, tenant = 'main'): Promise<Store> {
  return createStore({ db: await openEmbeddedDatabase(directory, tenant), tenant });
}

/** What is written has the tenant that it names; what is read is the one tenant's. */
export function createStore(rows: TenantRows): Store {
  const { db } = rows;
  return {
    saveQueue: (snapshot) => saveQueue(rows, snapshot),
    saveBuild: (record) => saveBuild(rows, record),
    saveBuildSet: (record) => saveBuildSet(rows, record),
    saveRelease: (record) => saveRelease(rows, record),
    saveMirror: (record) => saveMirror(rows, record),
    wasTold: (key) => wasTold(rows, key),
    markTold: (key) => markTold(rows, key),
    forgetTold: (key) => forgetTold(rows, key),
    listTold: (start) => listTold(rows, start),
    listQueues: () => listQueues(rows),
    findBuild: (id) => findBuild(rows, id),
    listBuilds: (filter) => listBuilds(rows, filter),
    listBuildSets: (filter) => listBuildSets(rows, filter),
    estimates: () => estimates(rows),
    listReleases: (filter) => listReleases(rows, filter),
    listMirrors: (filter) => listMirrors(rows, filter),
    listMirroredSets: () => listMirroredSets(rows),
    listReferrers: (since) => listReferrers(db, since),
    listRunning: () => listRunning(rows),
    plans: {
      add: (record) => addReleasePlan(rows, record),
      save: (record) => saveReleasePlan(rows, record),
      remove: (id, states) => removeReleasePlan(rows, id, states),
      find: (id) => findReleasePlan(rows, id),
      list: (limit) => listReleasePlans(rows, limit),
      naming: (releases) => listPlansNaming(rows, releases),
      candidates: () => listPlannable(rows),
      releases: (ids) => findReleases(rows, ids),
    },
    occurrences: createOccurrences(rows),
    acts: createActs(rows),
    vacuum: async () => void (await sql`vacuum`.execute(db)),
    close: () => db.destroy(),
  };
}
