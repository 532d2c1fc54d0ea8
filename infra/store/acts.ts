import { sql } from 'kysely';
import type { Act } from '../../pipelines/policy/act.ts';
import type { ActFilter, Acts } from '../../server/port.ts';
import type { TenantRows } from './database.ts';
import { follows } from './page.ts';

/** The audit log: rows are added, never changed, and go when their time is over. */
export function createActs(rows: TenantRows): Acts {
  return {
    add: (act) => addAct(rows, act),
    list: (filter) => listActs(rows, filter),
    forget: (before) => forgetActs(rows, before),
  };
}

async function addAct({ db, tenant }: TenantRows, act: Act): Promise<void> {
  const { id, time, by, operation } = act;
  await db
    .insertInto('acts')
    .values({ tenant, id, start_time: time, actor: by.name, operation, record: JSON.stringify(act) })
    .execute();
}

async function forgetActs({ db, tenant }: TenantRows, before: number): Promise<void> {
  await db.deleteFrom('acts').where('tenant', '=', tenant).where('start_time', '<', before).execute();
}

async function listActs({ db, tenant }: TenantRows, filter: ActFilter): Promise<Act[]> {
  let query = db
    .selectFrom('acts')
    .select('record')
    .where('tenant', '=', tenant)
    .orderBy('start_time', 'desc')
    .orderBy('id')
    .limit(filter.limit);
  if (filter.after) query = query.where(follows(filter.after));
  if (filter.by !== undefined) query = query.where('actor', '=', filter.by);
  if (filter.operation !== undefined) query = query.where('operation', '=', filter.operation);
  if (filter.change !== undefined) {
    query = query.where(sql<boolean>`record->'changes' @> ${JSON.stringify([filter.change])}::jsonb`);
  }
  return (await query.execute()).map((row) => row.record);
}
