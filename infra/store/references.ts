import { sql } from 'kysely';
import type { Database } from './database.ts';

/** A record that may name stored content, as text. */
export interface Referrer {
  readonly kind: 'builds' | 'build_sets' | 'releases' | 'mirrors';
  readonly id: string;
  readonly text: string;
  /** When it ended, in milliseconds since the epoch; null while it goes on. */
  readonly ended: number | null;
}

/** Records at once: between two lots, others have their turn. */
const lot = 500;

const kinds = ['builds', 'build_sets', 'releases', 'mirrors'] as const;

interface Place {
  readonly tenant: string;
  readonly id: string;
}

interface Row extends Place {
  readonly text: string;
  readonly ended: unknown;
}

interface Lot {
  readonly kind: Referrer['kind'];
  readonly since: number;
  readonly last: Place;
}

async function readLot(db: Database, { kind, since, last }: Lot): Promise<readonly Row[]> {
  const recent = kind === 'releases' ? sql`true` : sql`(end_time is null or end_time > ${since})`;
  const { rows } = await sql<Row>`
    select tenant, id, record::text as text, end_time as ended from ${sql.table(kind)}
    where (tenant, id) > (${last.tenant}, ${last.id}) and ${recent} order by tenant, id limit ${lot}`.execute(db);
  return rows;
}

/**
 * Of all tenants, for they share storage: every record of what goes on or ended
 * after `since` (milliseconds since the epoch), and every release.
 */
export async function* listReferrers(db: Database, since: number): AsyncGenerator<Referrer> {
  for (const kind of kinds) {
    let last: Place | undefined = { tenant: '', id: '' };
    while (last !== undefined) {
      const rows: readonly Row[] = await readLot(db, { kind, since, last });
      for (const { id, text, ended } of rows) yield { kind, id, text, ended: ended === null ? null : Number(ended) };
      last = rows.length < lot ? undefined : rows.at(-1);
    }
  }
}
