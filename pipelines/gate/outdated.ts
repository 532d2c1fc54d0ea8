import type { OutdatedBase } from '../report/item-report.ts';
import type { Draft } from './draft.ts';
import type { Item } from './state.ts';

/** The Git parent that an item stands on in an older patch set, where that is why what it needs is not ahead of it. */
export function outdatedBase(draft: Draft, item: Item, missing: readonly string[]): OutdatedBase | undefined {
  const { changes, patchsets } = draft.state.facts;
  const parents = new Set(item.changes.flatMap((key) => changes[key]?.parents ?? []));
  for (const need of missing.flatMap((key) => changes[key] ?? [])) {
    const keys = patchsets[need.id] ?? [];
    const latest = changes[keys.at(-1) ?? ''];
    const replaced = draft.fresh.has(need.key) ? keys.at(-2) : undefined;
    const on = need.current ? replaced : need.key;
    if (latest && on !== undefined && parents.has(need.id)) return { on, current: latest.patchset };
  }
  return undefined;
}
