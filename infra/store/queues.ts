import { sql } from 'kysely';
import type { QueueSnapshot } from '../../workflows/contract.ts';
import type { Database } from './database.ts';

/** Keeps the snapshot when it is newer than the one that is there; a gate that starts anew counts from the start. */
export async function saveQueue(db: Database, snapshot: QueueSnapshot): Promise<boolean> {
  const { workflow, time, sequence } = snapshot;
  const row = { time, sequence, snapshot: JSON.stringify(snapshot) };
  const done = await db
    .insertInto('queues')
    .values({ workflow, ...row })
    .onConflict((there) =>
      there
        .column('workflow')
        .doUpdateSet(row)
        .where(sql<boolean>`(excluded.time, excluded.sequence) > (queues.time, queues.sequence)`),
    )
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows !== 0n;
}

/** The latest snapshot of every gate, in order of pipeline and queue. */
export async function listQueues(db: Database): Promise<QueueSnapshot[]> {
  const rows = await db.selectFrom('queues').select('snapshot').orderBy('workflow').execute();
  return rows.map((row) => row.snapshot);
}

export async function wasTold(db: Database, key: string): Promise<boolean> {
  const row = await db.selectFrom('told').select('key').where('key', '=', key).executeTakeFirst();
  return row !== undefined;
}

export async function markTold(db: Database, key: string): Promise<void> {
  const row = { key, time: Date.now() };
  await db
    .insertInto('told')
    .values(row)
    .onConflict((there) => there.doNothing())
    .execute();
}
