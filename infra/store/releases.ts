import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { keptRelease } from '../../activities/report/release-record.ts';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { Database } from './database.ts';

/** Keeps the release and, once it has them, the packages that it published. */
export async function saveRelease(db: Database, record: ReleaseRecord): Promise<boolean> {
  return db.transaction().execute(async (inside) => {
    const row = await inside
      .selectFrom('releases')
      .select('record')
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
  const { id, project, change, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  await db
    .insertInto('releases')
    .values({ id, project, change, ...times })
    .onConflict((row) => row.column('id').doUpdateSet(times))
    .execute();
  if (record.state !== 'published' || record.packages.length === 0) return;
  const rows = record.packages.map(({ format, name, version, arch, digest }) => {
    return { release: id, format, name, version, arch, digest };
  });
  await db
    .insertInto('packages')
    .values(rows)
    .onConflict((row) => row.doNothing())
    .execute();
}

export async function listReleases(db: Database, limit: number): Promise<ReleaseRecord[]> {
  const rows = await db.selectFrom('releases').select('record').orderBy('start_time', 'desc').limit(limit).execute();
  return rows.map((row) => row.record);
}

const notEnded = sql<boolean>`excluded.end_time is not null or mirrors.end_time is null`;

export async function saveMirror(db: Database, record: MirrorRecord): Promise<boolean> {
  const times = {
    start_time: record.startTime,
    end_time: record.endTime,
    record: JSON.stringify(record),
  };
  const done = await db
    .insertInto('mirrors')
    .values({ id: record.id, mirror_set: record.set, ...times })
    .onConflict((row) => row.column('id').doUpdateSet(times).where(notEnded))
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function listMirrors(db: Database, limit: number): Promise<MirrorRecord[]> {
  const rows = await db.selectFrom('mirrors').select('record').orderBy('start_time', 'desc').limit(limit).execute();
  return rows.map((row) => row.record);
}
