import { needsFor } from './admission.ts';
import type { ChangeFacts } from './command.ts';
import { type Draft, emit, itemOf, itemsInOrder } from './draft.ts';
import { latestKey } from './facts.ts';
import { reject } from './finish.ts';
import { dropItem, pipelineOf, resetFrom } from './operations.ts';
import type { Item } from './state.ts';

/** Takes in new facts. A newer patch set takes the older one out of the queues, an abandonment the change. */
export function observe(draft: Draft, changes: readonly ChangeFacts[]): void {
  const before = draft.state.facts;
  emit(draft, { type: 'observed', changes });
  for (const change of changes) {
    const known = before.changes[latestKey(before, change.id) ?? ''];
    if (known && known.patchset < change.patchset) {
      draft.fresh.add(change.key);
      dropOlder(draft, change);
    }
    if (change.status === 'abandoned' && known?.status !== 'abandoned') dropAbandoned(draft, change);
  }
}

function dropOlder(draft: Draft, change: ChangeFacts): void {
  for (const pipeline of draft.state.pipelines) {
    if (!pipeline.dequeueOnNewPatchset) continue;
    const item = queuedItems(draft, pipeline.name).find((one) => holdsOlder(draft, one, change));
    if (!item) continue;
    dropItem(draft, item);
    const others = item.changes.filter((key) => draft.state.facts.changes[key]?.id !== change.id);
    const common = { pipeline: pipeline.name, trigger: change.key, admitted: item.changes };
    draft.again.push(...others.map((key) => ({ ...common, change: key })));
  }
}

function holdsOlder(draft: Draft, item: Item, change: ChangeFacts): boolean {
  return item.changes.some((key) => {
    const held = draft.state.facts.changes[key];
    return held?.id === change.id && held.patchset < change.patchset;
  });
}

function queuedItems(draft: Draft, pipeline: string): readonly Item[] {
  return itemsInOrder(draft).filter((item) => item.live && item.pipeline === pipeline && item.phase !== 'submitting');
}

/** An abandoned change goes without a word; its cycle, and what depends on it in the same queue, is told why. */
function dropAbandoned(draft: Draft, change: ChangeFacts): void {
  for (const queue of [...draft.state.queues]) {
    const item = queue.items.find((one) => one.live && one.phase === 'queued' && one.changes.includes(change.key));
    if (!item) continue;
    const pipeline = pipelineOf(draft, queue.pipeline);
    const needs = needsFor(draft, pipeline);
    const removed = new Set(item.changes);
    // Where changes do not merge, what depends on it may also stand ahead.
    const others = queue.items.filter((one) => one !== item);
    if (item.changes.length > 1) {
      resetFrom(draft, item);
      reject(draft, itemOf(draft, item.id), { kind: 'abandoned', change: change.key });
    } else dropItem(draft, item);
    for (const { id } of others) dropDependent(draft, draft.items.get(id), { removed, needs });
  }
}

function dropDependent(
  draft: Draft,
  item: Item | undefined,
  on: { readonly removed: Set<string>; readonly needs: { of(key: string): readonly string[] } },
): void {
  if (!item?.live || item.phase !== 'queued') return;
  const missing = item.changes.flatMap((key) => on.needs.of(key).filter((need) => on.removed.has(need)));
  if (missing.length === 0) return;
  resetFrom(draft, item);
  reject(draft, itemOf(draft, item.id), { kind: 'needed', changes: [...new Set(missing)] });
  for (const key of item.changes) on.removed.add(key);
}
