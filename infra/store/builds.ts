import { sql } from 'kysely';
import type { BuildFilter } from '../../server/port.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import type { TenantRows } from './database.ts';
import { follows } from './page.ts';

/** Whether the row that is there may be replaced: a build that has ended is not un-ended by a late message. */
const notEnded = (table: 'builds' | 'build_sets') =>
  sql<boolean>`excluded.end_time is not null or ${sql.ref(table)}.end_time is null`;

export async function saveBuild({ db }: TenantRows, record: BuildRecord): Promise<boolean> {
  const { id, tenant, buildSet, pipeline, project, change, job, result, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  const done = await db
    .insertInto('builds')
    .values({ tenant, id, build_set: buildSet, pipeline, project, change, job, result, ...times })
    .onConflict((row) =>
      row
        .columns(['tenant', 'id'])
        .doUpdateSet({ result, ...times })
        .where(notEnded('builds')),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function saveBuildSet({ db }: TenantRows, record: BuildSetRecord): Promise<boolean> {
  const { workflow, tenant, key, pipeline, project, change, result, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  const done = await db
    .insertInto('build_sets')
    .values({ tenant, id: workflow, build_set: key, pipeline, project, change, result, ...times })
    .onConflict((row) =>
      row
        .columns(['tenant', 'id'])
        .doUpdateSet({ result, ...times })
        .where(notEnded('build_sets')),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function findBuild({ db, tenant }: TenantRows, id: string): Promise<BuildRecord | undefined> {
  const rows = db.selectFrom('builds').select('record').where('tenant', '=', tenant);
  const row = await rows.where('id', '=', id).executeTakeFirst();
  return row?.record;
}

export async function listBuilds({ db, tenant }: TenantRows, filter: BuildFilter): Promise<BuildRecord[]> {
  let query = db
    .selectFrom('builds')
    .select('record')
    .where('tenant', '=', tenant)
    .orderBy('start_time', 'desc')
    .orderBy('id')
    .limit(filter.limit);
  if (filter.after) query = query.where(follows(filter.after));
  if (filter.running) query = query.where('end_time', 'is', null);
  if (filter.job !== undefined) query = query.where('job', '=', filter.job);
  if (filter.buildSet !== undefined) query = query.where('build_set', '=', filter.buildSet);
  for (const column of ['pipeline', 'project', 'change', 'result'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  return (await query.execute()).map((row) => row.record);
}

export async function listBuildSets({ db, tenant }: TenantRows, filter: BuildFilter): Promise<BuildSetRecord[]> {
  let query = db
    .selectFrom('build_sets')
    .select('record')
    .where('tenant', '=', tenant)
    .orderBy('start_time', 'desc')
    .orderBy('id')
    .limit(filter.limit);
  if (filter.after) query = query.where(follows(filter.after));
  if (filter.buildSet !== undefined) query = query.where('build_set', '=', filter.buildSet);
  for (const column of ['pipeline', 'project', 'change', 'result'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  return (await query.execute()).map((row) => row.record);
}

/** How many of the last successful builds of a job the estimate of the next one is made from. */
const sample = 5;

/**
 * `PROJECT JOB` to the mean time in milliseconds of its last successful builds: of one that a worker's end interrupted, of
 * the run that went through.
 */
export async function estimates({ db, tenant }: TenantRows): Promise<Record<string, number>> {
  const { rows } = await sql<{ project: string; job: string; mean: number }>`
    select project, job, avg(coalesce(
             (record->'timing'->>'ended')::float8 - (record->'timing'->>'started')::float8,
             end_time - start_time))::float8 as mean
    from (select project, job, start_time, end_time, record,
            row_number() over (partition by project, job order by start_time desc) as age
          from builds where tenant = ${tenant} and result = 'SUCCESS' and end_time is not null) as ended
    where age <= ${sample} group by project, job`.execute(db);
  return Object.fromEntries(rows.map(({ project, job, mean }) => [`${project} ${job}`, mean]));
}
