import type { BlobRef } from '../model/artifact.ts';
import type { GateState } from './state.ts';

/** All that a gate hands on to its next run. Plain JSON. */
export interface GateMemory {
  readonly version: 2;
  readonly state: GateState;
  /** Ids of the last messages with their answers: one that comes again, even to a later run, gets the same answer. */
  readonly handled: readonly HandledMessage[];
  /** Build set key to its whole graph and prepared state. */
  readonly graphs: Readonly<Record<string, BlobRef>>;
  /** Build set key to the build set that was started for it. */
  readonly buildSets: Readonly<Record<string, StartedBuildSet>>;
  /** Build sets that nothing wants any more, and that do not know it yet: their workflow ids. */
  readonly closing: readonly string[];
  /** Build set key to what tells it from the same key in another life of the gate. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Action key to what went wrong with it so far. */
  readonly troubles: Readonly<Record<string, ActionTrouble>>;
  /** Number of the last snapshot. */
  readonly sequence: number;
}

/** `refused`: why, where the answer was no. */
export interface HandledMessage {
  readonly id: string;
  /** When, in milliseconds since the epoch; absent where it was in the second of the one before. */
  readonly at?: number;
  readonly refused?: string;
}

export interface StartedBuildSet {
  readonly workflow: string;
  /** Its key to the outside: unique over all lives of the gate. */
  readonly key: string;
  /** False until the start has been confirmed. */
  readonly started: boolean;
  /** The permissions that it was last told, as JSON. */
  readonly told: string;
  /** Jobs to run again, in order, that it has not been told yet. */
  readonly retriggers: readonly string[];
  /** Whether it says of each retrigger what comes of it: not where it began before they did. */
  readonly answers?: true;
  /** The run that was heard first. */
  readonly run?: string;
}

/**
 * `tries`: with this kind of failure; `start`: of a build set that is prepared. `next`: when it may be tried again, in
 * milliseconds since the epoch.
 */
export interface ActionTrouble {
  readonly failed: 'away' | 'refused' | 'start';
  readonly tries: number;
  readonly next: number;
  readonly reason: string;
}

/** The memory as the first version of the shell handed it on. */
export interface FirstGateMemory {
  readonly version: 1;
  readonly state: Omit<GateState, 'undelivered'>;
  readonly handled: readonly string[];
  readonly graphs: Readonly<Record<string, BlobRef>>;
  readonly buildSets: Readonly<Record<string, { readonly workflow: string; readonly told: string }>>;
  readonly sequence: number;
}
