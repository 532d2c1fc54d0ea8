import { sql } from 'kysely';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import type { Database } from './database.ts';

/** What to look for; absent keys match everything. Newest first, at most `limit`. */
export interface BuildFilter {
  readonly pipeline?: string | undefined;
  readonly project?: string | undefined;
  readonly change?: string | undefined;
  readonly job?: string | undefined;
  readonly result?: string | undefined;
  readonly buildSet?: string | undefined;
  /** Only what has not ended. */
  readonly running?: boolean | undefined;
  readonly limit: number;
}

/** Whether the row that is there may be replaced: a build that has ended is not un-ended by a late message. */
const notEnded = (table: 'builds' | 'build_sets') =>
  sql<boolean>`excluded.end_time is not null or ${sql.ref(table)}.end_time is null`;

export async function saveBuild(db: Database, record: BuildRecord): Promise<boolean> {
  const { id, buildSet, pipeline, project, change, job, result, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  const done = await db
    .insertInto('builds')
    .values({ id, build_set: buildSet, pipeline, project, change, job, result, ...times })
    .onConflict((row) =>
      row
        .column('id')
        .doUpdateSet({ result, ...times })
        .where(notEnded('builds')),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function saveBuildSet(db: Database, record: BuildSetRecord): Promise<boolean> {
  const { workflow, key, pipeline, project, change, result, startTime, endTime } = record;
  const times = { start_time: startTime, end_time: endTime, record: JSON.stringify(record) };
  const done = await db
    .insertInto('build_sets')
    .values({ id: workflow, build_set: key, pipeline, project, change, result, ...times })
    .onConflict((row) =>
      row
        .column('id')
        .doUpdateSet({ result, ...times })
        .where(notEnded('build_sets')),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

export async function findBuild(db: Database, id: string): Promise<BuildRecord | undefined> {
  const row = await db.selectFrom('builds').select('record').where('id', '=', id).executeTakeFirst();
  return row?.record;
}

export async function listBuilds(db: Database, filter: BuildFilter): Promise<BuildRecord[]> {
  let query = db.selectFrom('builds').select('record').orderBy('start_time', 'desc').orderBy('id').limit(filter.limit);
  if (filter.running) query = query.where('end_time', 'is', null);
  if (filter.job !== undefined) query = query.where('job', '=', filter.job);
  if (filter.buildSet !== undefined) query = query.where('build_set', '=', filter.buildSet);
  for (const column of ['pipeline', 'project', 'change', 'result'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  return (await query.execute()).map((row) => row.record);
}

export async function listBuildSets(db: Database, filter: BuildFilter): Promise<BuildSetRecord[]> {
  let query = db
    .selectFrom('build_sets')
    .select('record')
    .orderBy('start_time', 'desc')
    .orderBy('id')
    .limit(filter.limit);
  if (filter.buildSet !== undefined) query = query.where('build_set', '=', filter.buildSet);
  for (const column of ['pipeline', 'project', 'change', 'result'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  return (await query.execute()).map((row) => row.record);
}

/** How many of the last successful builds of a job the estimate of the next one is made from. */
const sample = 5;

/** `PROJECT JOB` to the mean time in milliseconds of its last successful builds. */
export async function estimates(db: Database): Promise<Record<string, number>> {
  const { rows } = await sql<{ project: string; job: string; mean: number }>`
    select project, job, avg(end_time - start_time)::float8 as mean
    from (select project, job, start_time, end_time,
            row_number() over (partition by project, job order by start_time desc) as age
          from builds where result = 'SUCCESS' and end_time is not null) as ended
    where age <= ${sample} group by project, job`.execute(db);
  return Object.fromEntries(rows.map(({ project, job, mean }) => [`${project} ${job}`, mean]));
}
