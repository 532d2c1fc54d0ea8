import type { BuildSetAction, GateAction } from './action.ts';
import { submitRules } from './finish.ts';
import { permissionsFor } from './permissions.ts';
import type { GateState, Item } from './state.ts';
import { summary } from './summary.ts';

interface Remembered {
  readonly held: string | undefined;
  readonly action: BuildSetAction;
}

const remembered = new WeakMap<Item, Remembered>();

/**
 * All that the gate wants to be going on, in queue order; what is to be said comes first, in the order in which it
 * was decided. An item that did not change since the last time costs next to nothing.
 */
export function pending(state: GateState): readonly GateAction[] {
  const actions: GateAction[] = [...state.outbox];
  for (const queue of state.queues) {
    const holding = new Map<string, string>();
    for (const item of queue.items) {
      const held = item.ahead === null ? undefined : holding.get(item.ahead);
      const holder = holderFor(state, item, held);
      if (holder !== undefined) holding.set(item.id, holder);
      addActions(actions, state, { item, held });
    }
  }
  return actions;
}

/** The change that holds an item's followers back: one of the item itself, or the one that holds the item back. */
function holderFor(state: GateState, item: Item, held: string | undefined): string | undefined {
  const { builds } = item.buildSet;
  if (!item.live || !builds) return undefined;
  if (!summary(builds).holding) return held;
  return state.facts.changes[item.changes[0] ?? '']?.id ?? item.id;
}

function addActions(actions: GateAction[], state: GateState, of: { item: Item; held: string | undefined }): void {
  const { item } = of;
  const { base, builds, trouble, key } = item.buildSet;
  if (!base) return;
  const { pipeline, queue, changes, trigger } = item;
  if (builds) actions.push(buildSetAction(state, item, of.held));
  else if (!trouble) {
    const { buildSet, ...below } = base;
    actions.push({ kind: 'prepare', key, pipeline, queue, changes, trigger, ...below, base: buildSet });
  }
  if (item.phase !== 'submitting') return;
  const configured = state.pipelines.find((one) => one.name === pipeline);
  const rules = configured ? submitRules({ state }, configured) : [];
  actions.push({ kind: 'submit', key: `${key}/submit`, item: item.id, buildSet: key, pipeline, changes, rules });
}

function buildSetAction(state: GateState, item: Item, held: string | undefined): BuildSetAction {
  const before = remembered.get(item);
  const { base, builds, key } = item.buildSet;
  if (!base || !builds) throw new Error(`item ${item.id} has no builds`);
  const settled = !summary(builds).requiring && item.phase !== 'reporting';
  if (before && before.held === held && settled) return before.action;
  const { pipeline, queue, changes } = item;
  const permissions = permissionsFor(state, item, held);
  const action = {
    kind: 'build-set',
    key,
    pipeline,
    queue,
    changes,
    ahead: base.ahead,
    state: builds,
    permissions,
  } as const;
  remembered.set(item, { held, action });
  return action;
}
