import { sql } from 'kysely';
import type { ReleasePlanRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { TenantRows } from './database.ts';

/** As the index has it. */
const plannable = sql<boolean>`record->>'state' in ('waiting', 'reverted')`;

/** @returns false where there is a plan of that name */
export async function addReleasePlan({ db, tenant }: TenantRows, record: ReleasePlanRecord): Promise<boolean> {
  const { id, startTime } = record;
  const done = await db
    .insertInto('release_plans')
    .values({ tenant, id, start_time: startTime, record: JSON.stringify(record) })
    .onConflict((row) => row.columns(['tenant', 'id']).doNothing())
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

/** Replaces what is kept of a plan. @returns false where nothing is */
export async function saveReleasePlan({ db, tenant }: TenantRows, record: ReleasePlanRecord): Promise<boolean> {
  const done = await db
    .updateTable('release_plans')
    .set({ record: JSON.stringify(record) })
    .where('tenant', '=', tenant)
    .where('id', '=', record.id)
    .executeTakeFirst();
  return done.numUpdatedRows !== 0n;
}

/** Removes a plan in one of these states. @returns false where none is there */
export async function removeReleasePlan(
  { db, tenant }: TenantRows,
  id: string,
  states: readonly ReleasePlanRecord['state'][],
): Promise<boolean> {
  const rows = db.deleteFrom('release_plans').where('tenant', '=', tenant).where('id', '=', id);
  const done = await rows.where(sql<string>`record->>'state'`, 'in', states).executeTakeFirst();
  return done.numDeletedRows !== 0n;
}

export async function findReleasePlan({ db, tenant }: TenantRows, id: string): Promise<ReleasePlanRecord | undefined> {
  const rows = db.selectFrom('release_plans').select('record').where('tenant', '=', tenant).where('id', '=', id);
  return (await rows.executeTakeFirst())?.record;
}

/** Newest first. */
export async function listReleasePlans({ db, tenant }: TenantRows, limit: number): Promise<ReleasePlanRecord[]> {
  const rows = db.selectFrom('release_plans').select('record').where('tenant', '=', tenant);
  const found = await rows.orderBy('start_time', 'desc').orderBy('id').limit(limit).execute();
  return found.map((row) => row.record);
}

/** Plans that name any of these releases. */
export async function listPlansNaming(
  { db, tenant }: TenantRows,
  releases: readonly string[],
): Promise<ReleasePlanRecord[]> {
  if (releases.length === 0) return [];
  const named = sql<boolean>`exists (
    select from jsonb_array_elements(record->'builds') as build where build->>'release' in (${sql.join(releases)}))`;
  const rows = db.selectFrom('release_plans').select('record').where('tenant', '=', tenant).where(named);
  return (await rows.orderBy('start_time').execute()).map((row) => row.record);
}

/** Releases that wait for a plan, and those that were taken back. */
export async function listPlannable({ db, tenant }: TenantRows): Promise<ReleaseRecord[]> {
  const rows = db.selectFrom('releases').select('record').where('tenant', '=', tenant);
  const found = await rows.where(plannable).orderBy('start_time').execute();
  return found.map((row) => row.record);
}

export async function findReleases({ db, tenant }: TenantRows, ids: readonly string[]): Promise<ReleaseRecord[]> {
  if (ids.length === 0) return [];
  const rows = db.selectFrom('releases').select('record').where('tenant', '=', tenant).where('id', 'in', ids);
  return (await rows.orderBy('start_time').execute()).map((row) => row.record);
}
