import { sql } from 'kysely';
import type { QueueSnapshot } from '../../workflows/contract.ts';
import type { TenantRows } from './database.ts';

/** Keeps the snapshot when it is newer than the one that is there; a gate that starts anew counts from the start. */
export async function saveQueue({ db }: TenantRows, snapshot: QueueSnapshot): Promise<boolean> {
  const { tenant, workflow, time, sequence } = snapshot;
  const row = { time, sequence, snapshot: JSON.stringify(snapshot) };
  const done = await db
    .insertInto('queues')
    .values({ tenant, workflow, ...row })
    .onConflict((there) =>
      there
        .columns(['tenant', 'workflow'])
        .doUpdateSet(row)
        .where(sql<boolean>`(excluded.time, excluded.sequence) > (queues.time, queues.sequence)`),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

/** The latest snapshot of every gate, in order of pipeline and queue. */
export async function listQueues({ db, tenant }: TenantRows): Promise<QueueSnapshot[]> {
  const query = db.selectFrom('queues').select('snapshot').where('tenant', '=', tenant).orderBy('workflow');
  const rows = await query.execute();
  return rows.map((row) => row.snapshot);
}

export async function wasTold({ db, tenant }: TenantRows, key: string): Promise<boolean> {
  const rows = db.selectFrom('told').select('key').where('tenant', '=', tenant);
  const row = await rows.where('key', '=', key).executeTakeFirst();
  return row !== undefined;
}

export async function listTold({ db, tenant }: TenantRows, start: string): Promise<readonly string[]> {
  const rows = db.selectFrom('told').select('key').where('tenant', '=', tenant);
  return (await rows.where(sql<boolean>`starts_with(key, ${start})`).execute()).map(({ key }) => key);
}

export async function forgetTold({ db, tenant }: TenantRows, key: string): Promise<void> {
  await db.deleteFrom('told').where('tenant', '=', tenant).where('key', '=', key).execute();
}

export async function markTold({ db, tenant }: TenantRows, key: string): Promise<void> {
  const row = { tenant, key, time: Date.now() };
  await db
    .insertInto('told')
    .values(row)
    .onConflict((there) => there.doNothing())
    .execute();
}
