import { randomUUID } from 'node:crypto';
import type { Occurrence } from '../port.ts';

/** What the hook says after it has taken a push. */
export interface Notice {
  /** Of the push; absent: one that is not told again. */
  readonly id?: string | undefined;
  /** Ids of the changes that it touched. */
  readonly changes: readonly string[];
}

/** A push is where it belongs already: what there is to be known of it is read from its repository. */
export function readNotice({ id, changes }: Notice): Occurrence {
  return { id: id ?? randomUUID(), news: changes.map((change) => ({ kind: 'look', change })) };
}
