import { sql } from 'kysely';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { Database } from './database.ts';

const notEnded = (table: 'releases' | 'mirrors') =>
  sql<boolean>`excluded.end_time is not null or ${sql.ref(table)}.end_time is null`;

/** Keeps the release and, once it has them, the packages that it published. */
export async function saveRelease(db: Database, record: ReleaseRecord): Promise<boolean> {
  const { id, project, change, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  return db.transaction().execute(async (inside) => {
    const done = await inside
      .insertInto('releases')
      .values({ id, project, change, ...times })
      .onConflict((row) => row.column('id').doUpdateSet(times).where(notEnded('releases')))
      .executeTakeFirst();
    const changed = done.numInsertedOrUpdatedRows !== 0n;
    if (changed && record.state === 'published' && record.packages.length > 0) {
      const rows = record.packages.map(({ format, name, version, arch, digest }) => ({
        release: id,
        ...{ format, name, version, arch, digest },
      }));
      await inside
        .insertInto('packages')
        .values(rows)
        .onConflict((row) => row.doNothing())
        .execute();
    }
    return changed;
  });
}

export async function listReleases(db: Database, limit: number): Promise<ReleaseRecord[]> {
  const rows = await db.selectFrom('releases').select('record').orderBy('start_time', 'desc').limit(limit).execute();
  return rows.map((row) => row.record);
}

export async function saveMirror(db: Database, record: MirrorRecord): Promise<boolean> {
  const times = {
    start_time: record.startTime,
    end_time: record.endTime,
    record: JSON.stringify(record),
  };
  const done = await db
    .insertInto('mirrors')
    .values({ id: record.id, mirror_set: record.set, ...times })
    .onConflict((row) => row.column('id').doUpdateSet(times).where(notEnded('mirrors')))
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function listMirrors(db: Database, limit: number): Promise<MirrorRecord[]> {
  const rows = await db.selectFrom('mirrors').select('record').orderBy('start_time', 'desc').limit(limit).execute();
  return rows.map((row) => row.record);
}
