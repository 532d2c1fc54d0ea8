import type { Occurrence, Webhook } from '../../../activities/review/port.ts';
import { createDoor } from '../../../server/ingest/door.ts';
import { type DrainDeps, startDrain } from '../../../server/ingest/drain.ts';
import type { OccurrenceStore } from '../../../server/ingest/port.ts';

export function occurrence(id: string): Occurrence {
  return { id, news: [{ kind: 'look', change: id }] };
}

/** Door and drain over a store. */
export function open(deps: Omit<DrainDeps, 'warn' | 'store'> & { readonly store: OccurrenceStore }) {
  const drain = startDrain({ pause: 1, ...deps, warn: () => {} });
  return { take: createDoor(deps.store, drain.wake), stop: drain.stop };
}

/** A host whose secret is `right`: a delivery is `{id}`, `{kind}` for an unknown kind, and malformed otherwise. */
export const webhook: Webhook = {
  isSigned: ({ headers }) => headers['x-signature'] === 'right',
  read(_headers, content) {
    const { id, kind } = Object(content) as { readonly id?: string; readonly kind?: string };
    if (kind !== undefined) return { kind: 'unknown' };
    if (typeof id !== 'string') return { kind: 'malformed', reason: 'there is no id' };
    return { kind: 'occurrence', occurrence: occurrence(id) };
  },
};

/** Waits until something is so; looks again and again. */
export async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 180_000;
  while (!(await so())) {
    if (Date.now() > end) throw new Error('it did not come to that within three minutes');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
