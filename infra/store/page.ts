import { sql } from 'kysely';
import type { PageStart } from '../../server/port.ts';

/** Whether a row comes after the last one of a page, in the order of the lists: the newest first, then by id. */
export function follows({ startTime, id }: PageStart) {
  return sql<boolean>`(start_time < ${startTime} or (start_time = ${startTime} and id > ${id}))`;
}
