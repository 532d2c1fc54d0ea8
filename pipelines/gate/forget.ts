import type { ChangeFacts } from './command.ts';
import { type Draft, emit } from './draft.ts';

/** How many open changes are remembered that nothing in the queues has to do with. */
const idleChanges = 32;

/** How many facts are at least dropped at a time: going through all of them for each is not worth it. */
const atOnce = 16;

/**
 * Drops the facts that nothing needs: of closed changes and older patch sets, once no item holds them and no known
 * open change names them; and of the open changes that were idle longest. Whoever enqueues a change says again what
 * it needs and what waits for it.
 */
export function forgetUnneeded(draft: Draft): void {
  const changes = Object.values(draft.state.facts.changes);
  const queued = relatives(
    draft,
    [...draft.items.values()].flatMap((item) => item.changes),
  );
  const named = new Set(changes.flatMap((change) => (change.status === 'open' ? namesOf(change) : [])));
  const supplying = new Set(keptBelow(draft));
  const isIdle = ({ key, id }: ChangeFacts) => !queued.has(key) && !queued.has(id) && !supplying.has(key);
  const idle = changes.filter(isIdle);
  const closed = idle.filter((change) => isClosed(change) && !named.has(change.id));
  const open = idle.filter((change) => !isClosed(change));
  const gone = [...closed, ...open.slice(0, Math.max(0, open.length - idleChanges))].map((change) => change.key);
  if (gone.length >= atOnce) emit(draft, { type: 'forgot', changes: gone });
}

/** What items stand on that has merged, and has provided something. Those at the front stand on all that others do. */
function keptBelow({ state, items }: Draft): readonly string[] {
  if (!state.keepsMerged) return [];
  const bases = [...items.values()].flatMap((item) => (item.ahead === null ? (item.buildSet.base?.ahead ?? []) : []));
  return bases.filter((key) => state.facts.changes[key]?.results !== undefined);
}

function isClosed(change: ChangeFacts): boolean {
  return change.status !== 'open' || !change.current || change.kind !== 'change';
}

function namesOf(change: ChangeFacts): readonly string[] {
  return [...change.parents, ...change.dependsOn];
}

/** The patch sets, and the ids of all that they name through any number of steps. */
function relatives(draft: Draft, keys: readonly string[]): ReadonlySet<string> {
  const { changes, patchsets } = draft.state.facts;
  const found = new Set(keys);
  const open = keys.flatMap((key) => (changes[key] ? namesOf(changes[key]) : []));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    for (const key of patchsets[id] ?? []) if (changes[key]) open.push(...namesOf(changes[key]));
  }
  return found;
}
