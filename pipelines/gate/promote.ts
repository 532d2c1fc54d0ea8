import type { GateAnswer, GateCommand } from './command.ts';
import { type Draft, emit, itemsInOrder, queueOf } from './draft.ts';
import { enqueue } from './enqueue.ts';
import { closeIfEmpty, dropItem } from './operations.ts';
import type { Item, Queue } from './state.ts';

/**
 * Brings changes to the front of their queues, and their queues to the front of the pipeline. Items that stand where
 * they should already are left alone; from the first difference on, everything comes in again in the new order.
 */
export function promote(draft: Draft, command: GateCommand & { type: 'promote' }): GateAnswer {
  const wanted = new Map<string, Item[]>();
  for (const change of command.changes) {
    const item = find(draft, command.pipeline, change);
    if (!item) return { ok: false, reason: `${change} is not in ${command.pipeline}` };
    if (item.phase !== 'queued') return { ok: false, reason: `${change} is being merged` };
    wanted.set(item.queue, [...(wanted.get(item.queue) ?? []), item]);
  }
  for (const [queue, items] of [...wanted].reverse()) promoteIn(draft, queueOf(draft, queue), items);
  return { ok: true };
}

function find(draft: Draft, pipeline: string, change: string): Item | undefined {
  const { changes } = draft.state.facts;
  return itemsInOrder(draft).find(
    (item) =>
      item.live &&
      item.pipeline === pipeline &&
      item.changes.some((key) => key === change || changes[key]?.id === change),
  );
}

function promoteIn(draft: Draft, queue: Queue, first: readonly Item[]): void {
  const live = queue.items.filter((item) => item.live);
  const merging = live.filter((item) => item.phase !== 'queued');
  const order = [...new Set([...merging, ...first, ...live])];
  const same = order.findIndex((item, index) => item !== live[index]);
  emit(draft, { type: 'queue-promoted', queue: queue.id });
  if (same < 0) return;
  for (const item of live.slice(same)) dropInPlace(draft, item);
  for (const item of order.slice(same)) {
    for (const key of item.changes) {
      const entry = {
        ignoreRequirements: true,
        quiet: true,
        debug: false,
        trigger: item.trigger,
        enqueued: item.enqueued,
      };
      enqueue(draft, item.pipeline, key, entry);
    }
  }
  if (draft.state.queues.some((one) => one.id === queue.id)) closeIfEmpty(draft, queue.id);
}

function dropInPlace(draft: Draft, item: Item): void {
  const now = draft.items.get(item.id);
  if (now) dropItem(draft, now);
}
