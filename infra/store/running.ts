import type { SelectType } from 'kysely';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import type { TenantRows } from './database.ts';
import type { Tables } from './schema.ts';

/** Enough for one look: what is left over is found by the next. */
const limit = 1_000;

/** All that is recorded as going on, oldest first. */
export async function listRunning(rows: TenantRows): Promise<RunningRecords> {
  const [builds, buildSets, releases] = await Promise.all([
    running(rows, 'builds'),
    running(rows, 'build_sets'),
    running(rows, 'releases'),
  ]);
  return { builds, buildSets, releases };
}

type Recorded = 'builds' | 'build_sets' | 'releases';

async function running<T extends Recorded>({ db, tenant }: TenantRows, table: T): Promise<RecordOf<T>[]> {
  const query = db.selectFrom<Recorded>(table).select('record').where('tenant', '=', tenant);
  const found = await query.where('end_time', 'is', null).orderBy('start_time').limit(limit).execute();
  return found.map(({ record }) => record as RecordOf<T>);
}

type RecordOf<T extends Recorded> = SelectType<Tables[T]['record']>;
