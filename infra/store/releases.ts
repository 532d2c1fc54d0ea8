import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { keptRelease } from '../../activities/report/release-record.ts';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { MirrorFilter, ReleaseFilter } from '../../server/port.ts';
import type { Database, TenantRows } from './database.ts';
import { follows } from './page.ts';

/** Keeps the release and, once it has them, the packages that it published. */
export async function saveRelease({ db }: TenantRows, record: ReleaseRecord): Promise<boolean> {
  return db.transaction().execute(async (inside) => {
    const row = await inside
      .selectFrom('releases')
      .select('record')
      .where('tenant', '=', record.tenant)
      .where('id', '=', record.id)
      .forUpdate()
      .executeTakeFirst();
    const kept = keptRelease(row?.record, record);
    if (isDeepStrictEqual(kept, row?.record)) return false;
    await write(inside, kept);
    return true;
  });
}

async function write(db: Database, record: ReleaseRecord): Promise<void> {
  const { tenant, id, project, change, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  await db
    .insertInto('releases')
    .values({ tenant, id, project, change, ...times })
    .onConflict((row) => row.columns(['tenant', 'id']).doUpdateSet(times))
    .execute();
  if (record.state !== 'published' || record.packages.length === 0) return;
  const rows = record.packages.map(({ format, name, version, arch, digest }) => {
    return { tenant, release: id, format, name, version, arch, digest };
  });
  await db
    .insertInto('packages')
    .values(rows)
    .onConflict((row) => row.doNothing())
    .execute();
}

export async function listReleases({ db, tenant }: TenantRows, filter: ReleaseFilter): Promise<ReleaseRecord[]> {
  const { project, change, build, after, limit } = filter;
  let query = db.selectFrom('releases').select('record').where('tenant', '=', tenant);
  if (project !== undefined) query = query.where('project', '=', project);
  if (change !== undefined) query = query.where('change', '=', change);
  if (build !== undefined) {
    const beside = JSON.stringify([{ build }]);
    query = query.where(sql<boolean>`(record->>'build' = ${build} or record->'packages' @> ${beside}::jsonb)`);
  }
  if (after) query = query.where(follows(after));
  const rows = await query.orderBy('start_time', 'desc').orderBy('id').limit(limit).execute();
  return rows.map((row) => row.record);
}

const notEnded = sql<boolean>`excluded.end_time is not null or mirrors.end_time is null`;

export async function saveMirror({ db, tenant }: TenantRows, record: MirrorRecord): Promise<boolean> {
  const times = {
    start_time: record.startTime,
    end_time: record.endTime,
    record: JSON.stringify(record),
  };
  const done = await db
    .insertInto('mirrors')
    .values({ tenant, id: record.id, mirror_set: record.set, ...times })
    .onConflict((row) => row.columns(['tenant', 'id']).doUpdateSet(times).where(notEnded))
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function listMirrors({ db, tenant }: TenantRows, filter: MirrorFilter): Promise<MirrorRecord[]> {
  const { set, after, limit } = filter;
  let query = db.selectFrom('mirrors').select('record').where('tenant', '=', tenant);
  if (set !== undefined) query = query.where('mirror_set', '=', set);
  if (after) query = query.where(follows(after));
  const rows = await query.orderBy('start_time', 'desc').orderBy('id').limit(limit).execute();
  return rows.map((row) => row.record);
}

/** Names of the sets that any transaction is kept of. */
export async function listMirroredSets({ db, tenant }: TenantRows): Promise<string[]> {
  const query = db.selectFrom('mirrors').select('mirror_set').where('tenant', '=', tenant);
  const rows = await query.distinct().execute();
  return rows.map((row) => row.mirror_set);
}
