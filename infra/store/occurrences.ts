import { sql } from 'kysely';
import type { Occurrence } from '../../activities/review/port.ts';
import type { Arrival, Backlog, OccurrenceStore, Outcome, Waiting } from '../../server/ingest/port.ts';
import type { TenantRows } from './database.ts';

/** The occurrences of one tenant. */
export function createOccurrences(rows: TenantRows): OccurrenceStore {
  return {
    keep: (arrivals) => keep(rows, arrivals),
    first: (connection, limit) => first(rows, connection, limit),
    settle: (connection, id, outcome) => settle(rows, { connection, id }, outcome),
    backlog: () => backlog(rows),
    forget: (before) => forget(rows, before),
  };
}

/** All in one text, which costs less than a parameter for each; what is written twice in it reads as it was. */
async function keep({ db, tenant }: TenantRows, arrivals: readonly Arrival[]): Promise<boolean[]> {
  const values = arrivals.map(({ connection, occurrence, received }) => {
    return { connection, id: occurrence.id, received, occurrence: JSON.stringify(occurrence) };
  });
  const { rows } = await sql<{ connection: string; id: string }>`
    insert into occurrences (tenant, connection, id, received, due, state, attempts, occurrence)
    select ${tenant}, one->>'connection', one->>'id', (one->>'received')::bigint, (one->>'received')::bigint,
      'waiting', 0, one->>'occurrence'
    from json_array_elements(${JSON.stringify(values)}::json) with ordinality as all_of(one, place) order by place
    on conflict do nothing returning connection, id`.execute(db);
  const fresh = new Set(rows.map(keyOf));
  // Of two in one lot with the same id the first is the new one.
  return values.map((value) => fresh.delete(keyOf(value)));
}

function keyOf({ connection, id }: { readonly connection: string; readonly id: string }): string {
  return JSON.stringify([connection, id]);
}

async function first({ db, tenant }: TenantRows, connection: string, limit: number): Promise<Waiting[]> {
  const found = await db
    .selectFrom('occurrences')
    .select(['occurrence', 'attempts', 'due'])
    .where('tenant', '=', tenant)
    .where('connection', '=', connection)
    .where('state', '=', 'waiting')
    .orderBy('sequence')
    .limit(limit)
    .execute();
  return found.map(({ occurrence, attempts, due }) => {
    return { occurrence: JSON.parse(occurrence) as Occurrence, attempts, due: Number(due) };
  });
}

async function settle(
  { db, tenant }: TenantRows,
  { connection, id }: { readonly connection: string; readonly id: string },
  outcome: Outcome,
): Promise<void> {
  const { state } = outcome;
  await db
    .updateTable('occurrences')
    .set({
      state,
      ...(state === 'done' ? {} : { reason: plain(outcome.reason), attempts: sql<number>`attempts + 1` }),
      ...(state === 'waiting' ? { due: outcome.due } : {}),
    })
    .where('tenant', '=', tenant)
    .where('connection', '=', connection)
    .where('id', '=', id)
    .execute();
}

/** A reason comes from anywhere; a column does not take NUL. */
function plain(reason: string): string {
  return reason.replaceAll('\0', ' ').slice(0, 1_000);
}

async function backlog({ db, tenant }: TenantRows): Promise<Backlog[]> {
  const { rows } = await sql<Backlog>`
    select connection, (count(*) filter (where state = 'waiting'))::integer as waiting,
      (count(*) filter (where state = 'dead'))::integer as dead
    from occurrences where tenant = ${tenant} and state <> 'done' group by connection order by connection`.execute(db);
  return rows;
}

async function forget({ db, tenant }: TenantRows, before: number): Promise<void> {
  const old = db.deleteFrom('occurrences').where('tenant', '=', tenant).where('received', '<', before);
  await old.where('state', '<>', 'waiting').execute();
}
