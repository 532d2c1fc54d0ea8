import type { Pipeline } from '../model/pipeline.ts';
import type { ChangeFacts } from './command.ts';
import { handle } from './handle.ts';
import { initialGate } from './state.ts';

export interface Entering {
  readonly pipelines: readonly Pipeline[];
  /** The change and all that it needs. */
  readonly changes: readonly ChangeFacts[];
  readonly pipeline: string;
  /** Its patch set's key. */
  readonly change: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Why a change could not come into an empty queue of a pipeline as things are; undefined when it could. */
export function entryObstacle(entering: Entering): string | undefined {
  const { answer } = enter(entering);
  return answer.ok ? undefined : answer.reason;
}

/**
 * Keys of the patch sets that a queue would work on with it: its own, those of its cycle, and those that it brings in ahead
 * of it and behind it; none where it could not come in.
 */
export function entrants(entering: Entering): readonly string[] {
  const { state } = enter(entering);
  const queue = state.queues.find(({ items }) => items.some(({ changes }) => changes.includes(entering.change)));
  return queue?.items.filter(({ live }) => live).flatMap(({ changes }) => changes) ?? [];
}

function enter({ pipelines, changes, pipeline, change, time }: Entering) {
  const configured = handle(initialGate(), { type: 'configure', time, pipelines }).state;
  const observed = handle(configured, { type: 'observe', time, changes }).state;
  return handle(observed, { type: 'enqueue', time, pipeline, change });
}
