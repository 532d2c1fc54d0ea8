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

/** Every record of what goes on or ended after `since` (milliseconds since the epoch), and every release. */
export async function* listReferrers(db: Database, since: number): AsyncGenerator<Referrer> {
  for (const kind of kinds) {
    for (let last: string | undefined = ''; last !== undefined; ) {
      const recent = kind === 'releases' ? sql`true` : sql`(end_time is null or end_time > ${since})`;
      const { rows } = await sql<{ id: string; text: string; ended: unknown }>`
        select id, record::text as text, end_time as ended from ${sql.table(kind)}
        where id > ${last} and ${recent} order by id limit ${lot}`.execute(db);
      for (const { id, text, ended } of rows) yield { kind, id, text, ended: ended === null ? null : Number(ended) };
      last = rows.length < lot ? undefined : rows.at(-1)?.id;
    }
  }
}
