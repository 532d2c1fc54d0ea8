import type { Pipeline, ReportAction } from '../model/pipeline.ts';
import { itemReport } from '../report/item-report.ts';
import type { ChangeFacts } from './command.ts';
import { type Draft, emit, itemOf, queueOf, withFollowers } from './draft.ts';
import type { Item, Queue, Standing } from './state.ts';

/** The pipeline of that name; a programming error when there is none. */
export function pipelineOf(draft: Pick<Draft, 'state'>, name: string): Pipeline {
  const pipeline = draft.state.pipelines.find((one) => one.name === name);
  if (!pipeline) throw new Error(`no pipeline ${name}`);
  return pipeline;
}

export function factsOf(draft: Pick<Draft, 'state'>, key: string): ChangeFacts | undefined {
  return draft.state.facts.changes[key];
}

export function standingOf(draft: Pick<Draft, 'state'>, pipeline: string): Standing {
  return draft.state.standings[pipeline] ?? { failures: 0, disabled: false };
}

/** Gives up the builds of an item and of all that is built on it; they start anew. */
export function resetFrom(draft: Draft, item: Item): void {
  // What has nothing to build on has nothing built on it either.
  if (item.live && !itemOf(draft, item.id).buildSet.base) return;
  for (const one of withFollowers(draft, item))
    if (one.buildSet.base) emit(draft, { type: 'item-reset', item: one.id });
}

/** Gives up the builds of all that is built on the item. */
export function resetFollowers(draft: Draft, item: Item): void {
  for (const one of withFollowers(draft, item)) {
    if (one.id !== item.id && one.buildSet.base) emit(draft, { type: 'item-reset', item: one.id });
  }
}

/** Cancels the builds of an item and of all that is built on it, and leaves it at that. */
export function cancelFrom(draft: Draft, item: Item): void {
  const time = draft.state.time;
  for (const one of withFollowers(draft, item)) {
    const { builds } = one.buildSet;
    if (builds && !builds.canceled)
      emit(draft, { type: 'builds-changed', item: one.id, change: { type: 'canceled', time } });
  }
}

/** Takes an item out that has nothing to report, with a word only when a word was said at its entry. */
export function dropItem(draft: Draft, item: Item): void {
  resetFollowers(draft, item);
  const spoken = item.reportedEnqueue || item.reportedStart;
  if (item.live && item.phase === 'queued' && spoken) say(draft, itemOf(draft, item.id), 'dequeue');
  takeOut(draft, item);
}

/** Takes an item out of its queue, and the queue away when it was there for this item alone. */
export function takeOut(draft: Draft, item: Item): void {
  dropStart(draft, item);
  emit(draft, { type: 'item-dequeued', item: item.id });
  closeIfEmpty(draft, item.queue);
}

/** Nobody needs to hear any more that an item's jobs have begun. */
export function dropStart(draft: Draft, item: Item): void {
  if (!draft.state.startsLate) return;
  for (const action of draft.state.outbox) {
    const isStart = action.kind === 'report' && action.action === 'start';
    if (!isStart || !action.buildSet?.startsWith(`${item.id}.`)) continue;
    emit(draft, { type: 'action-done', key: action.key });
    if (draft.state.dropsStarts) emit(draft, { type: 'start-dropped', item: item.id });
  }
}

export function closeIfEmpty(draft: Draft, id: string): void {
  const queue = queueOf(draft, id);
  if (!queue.lasting && queue.items.length === 0) emit(draft, { type: 'queue-closed', queue: id });
}

/**
 * A report on the way, not a final one: left out when nobody is to hear it, or the pipeline is disabled.
 *
 * @returns whether it is said
 */
export function say(draft: Draft, item: Item, action: ReportAction): boolean {
  const pipeline = pipelineOf(draft, item.pipeline);
  const rules = pipeline.reporters[action];
  if (rules.length === 0 || standingOf(draft, pipeline.name).disabled) return false;
  const changes = item.changes.flatMap((key) => factsOf(draft, key) ?? []);
  const message = itemReport(action, { pipeline, changes, buildSet: item.buildSet });
  const common = { kind: 'report', action, pipeline: pipeline.name, changes: item.changes } as const;
  const key = `${item.buildSet.key}/${action}`;
  const since = action === 'start' && draft.state.startsLate ? { since: draft.state.time } : {};
  emit(draft, {
    type: 'action-wanted',
    action: { ...common, key, buildSet: item.buildSet.key, result: null, message, rules, ...since },
  });
  return true;
}

/** What the window becomes by a success or a failure. */
export function resizeWindow(draft: Draft, queue: Queue, way: 'increase' | 'decrease'): void {
  const rule = pipelineOf(draft, queue.pipeline).window;
  if (queue.window === 0) return;
  const grown =
    rule.increaseType === 'linear' ? queue.window + rule.increaseFactor : queue.window * rule.increaseFactor;
  const shrunk =
    rule.decreaseType === 'linear'
      ? queue.window - rule.decreaseFactor
      : Math.trunc(queue.window / rule.decreaseFactor);
  const ceiling = rule.ceiling ?? Number.POSITIVE_INFINITY;
  const window = way === 'increase' ? Math.min(ceiling, grown) : Math.max(rule.floor, shrunk);
  if (window !== queue.window) emit(draft, { type: 'window-changed', queue: queue.id, window });
}
