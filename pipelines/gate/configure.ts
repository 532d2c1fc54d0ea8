import type { Pipeline } from '../model/pipeline.ts';
import type { GateCommand } from './command.ts';
import { type Draft, emit, queueOf } from './draft.ts';
import { factsOf } from './operations.ts';
import { openQueueFor, queueFor } from './queues.ts';
import type { Item, Queue } from './state.ts';

/**
 * Takes a new configuration. Items keep their place, their builds and what they are built on; those whose pipeline is
 * gone leave without a word. Windows keep the size that they had reached, but for queues that stood empty.
 */
export function configure(draft: Draft, command: GateCommand & { type: 'configure' }): void {
  const { pipelines, limits = {} } = command;
  const old = draft.state.queues;
  emit(draft, { type: 'configured', pipelines, limits });
  if (command.changes) emit(draft, { type: 'observed', changes: command.changes });
  for (const queue of old) {
    const pipeline = pipelines.find((one) => one.name === queue.pipeline);
    if (pipeline && queue.items.length > 0) settleQueue(draft, pipeline, queue);
    else closeQueue(draft, queue);
  }
}

function closeQueue(draft: Draft, queue: Queue): void {
  for (const item of [...queueOf(draft, queue.id).items].reverse())
    emit(draft, { type: 'item-dequeued', item: item.id });
  emit(draft, { type: 'queue-closed', queue: queue.id });
}

function settleQueue(draft: Draft, pipeline: Pipeline, queue: Queue): void {
  for (const item of queue.items) if (belongsElsewhere(draft, pipeline, item)) transfer(draft, pipeline, item);
  const home = draft.items.get(queue.items[0]?.id ?? '')?.queue;
  if (queueOf(draft, queue.id).items.length === 0) emit(draft, { type: 'queue-closed', queue: queue.id });
  if (home !== undefined) keepWindow(draft, pipeline, { home, reached: queue.window });
}

/** The size that a window had reached goes along to where the queue's first item is now. */
function keepWindow(draft: Draft, pipeline: Pipeline, of: { readonly home: string; readonly reached: number }): void {
  const { home, reached } = of;
  const { lasting, window } = queueOf(draft, home);
  if (!lasting || pipeline.manager !== 'dependent') return;
  const anew = reached === 0 || isStatic(pipeline);
  const size = anew ? pipeline.window.size : Math.max(reached, pipeline.window.floor);
  if (size !== window) emit(draft, { type: 'window-changed', queue: home, window: size });
}

/** A window that is written so that it never changes. */
function isStatic({ window }: Pipeline): boolean {
  const exponential = window.increaseType === 'exponential' && window.decreaseType === 'exponential';
  return window.size > 0 && exponential && window.increaseFactor === 1 && window.decreaseFactor === 1;
}

function belongsElsewhere(draft: Draft, pipeline: Pipeline, item: Item): boolean {
  if (pipeline.manager === 'independent' || pipeline.manager === 'supercedent') return false;
  const change = factsOf(draft, item.changes[0] ?? '');
  return change !== undefined && queueFor(pipeline, change) !== item.queue;
}

/** Puts an item at the end of the queue that its project has now. */
function transfer(draft: Draft, pipeline: Pipeline, item: Item): void {
  const change = factsOf(draft, item.changes[0] ?? '');
  if (!change) return;
  const queue = openQueueFor(draft, pipeline, change);
  emit(draft, { type: 'item-transferred', item: item.id, queue });
}
