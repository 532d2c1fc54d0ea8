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
export function entryObstacle({ pipelines, changes, pipeline, change, time }: Entering): string | undefined {
  const configured = handle(initialGate(), { type: 'configure', time, pipelines }).state;
  const observed = handle(configured, { type: 'observe', time, changes }).state;
  const { answer } = handle(observed, { type: 'enqueue', time, pipeline, change });
  return answer.ok ? undefined : answer.reason;
}
