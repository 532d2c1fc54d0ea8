import type { BuildSetState } from '../jobs/state.ts';
import type { Pipeline } from '../model/pipeline.ts';
import type { FireAction, ReportRequest, SupersedeAction } from './action.ts';
import type { ChangeFacts, GateLimits, PrepareTrouble } from './command.ts';

/** All that a gate knows. Plain JSON, and never changed in place. Times are milliseconds since the epoch. */
export interface GateState {
  readonly time: number;
  /** Number of the latest item: items are numbered from 1, and a number is never used again. */
  readonly serial: number;
  readonly pipelines: readonly Pipeline[];
  readonly limits: GateLimits;
  readonly standings: Readonly<Record<string, Standing>>;
  readonly facts: Facts;
  /** In order of creation, unless a promotion moved one to the front. */
  readonly queues: readonly Queue[];
  /** What is still to be said and told, in order. */
  readonly outbox: readonly OutboxAction[];
  /** What could not be said or told, the latest last: given up, for a queue does not wait for it. */
  readonly undelivered: readonly Undelivered[];
  /**
   * Whether an item keeps what was ahead of it when it was based and has merged since; absent: not, as in runs of
   * gates that began before they did.
   */
  readonly keepsMerged?: boolean;
  /**
   * Whether an item is built on what is being merged ahead of it, as on all else; absent: it waits for that, as in runs
   * of gates that began before it was.
   */
  readonly stacksOnMerging?: boolean;
  /**
   * Whether items that are done when the one ahead of them begins to merge are merged with it; absent: one by one, as in
   * runs of gates that began before they were.
   */
  readonly mergesTogether?: boolean;
  /**
   * Whether a start is told after a while, and not where all is over by then; absent: at once and always, as in runs of
   * gates that began before it was.
   */
  readonly startsLate?: boolean;
  /**
   * Whether that all is over counts also while an item waits for those ahead of it, and a start that was dropped is told
   * when jobs run again; absent: only where it begins to merge, and never, as in runs of gates that began before.
   */
  readonly dropsStarts?: boolean;
}

/** A report, or word to another gate, that was given up. */
export interface Undelivered {
  readonly key: string;
  readonly kind: OutboxAction['kind'];
  /** Keys of the patch sets that it was about. */
  readonly changes: readonly string[];
  readonly reason: string;
  readonly time: number;
}

export type OutboxAction = ReportRequest | SupersedeAction | FireAction;

/** How a pipeline has been doing lately. */
export interface Standing {
  readonly failures: number;
  readonly disabled: boolean;
}

/** What is known of changes, by the key of a patch set (`ID,PATCHSET`). */
export interface Facts {
  readonly changes: Readonly<Record<string, ChangeFacts>>;
  /** Change id to the keys of its known patch sets, oldest first. */
  readonly patchsets: Readonly<Record<string, readonly string[]>>;
}

export interface Queue {
  readonly id: string;
  readonly pipeline: string;
  readonly name: string;
  /** Kept when it is empty, with the size that its window has reached. */
  readonly lasting: boolean;
  /** Number of items that are worked on at a time; 0 is no limit. */
  readonly window: number;
  readonly items: readonly Item[];
}

/** One change, or the changes of one dependency cycle, on their way through a pipeline. */
export interface Item {
  readonly id: string;
  readonly pipeline: string;
  readonly queue: string;
  /** Keys of its patch sets, in merge order. */
  readonly changes: readonly string[];
  /** False for an item that is only there to be under another: it has no jobs and is not reported. */
  readonly live: boolean;
  /** Id of the item that this one is built on; not always the one before it in the queue. */
  readonly ahead: string | null;
  /** Key of the change whose event brought the item in. */
  readonly trigger: string;
  readonly enqueued: number;
  readonly quiet: boolean;
  readonly active: boolean;
  readonly reportedEnqueue: boolean;
  readonly reportedStart: boolean;
  /** The start was dropped, as all was over: it is owed again once jobs run again. It may have been told just then. */
  readonly startDropped?: boolean;
  /**
   * `submitting`: all went well and the merge is under way, or that of an item ahead which it is merged with;
   * `reporting`: its reporter jobs run.
   */
  readonly phase: 'queued' | 'submitting' | 'reporting';
  /** Why the item cannot merge as things stand; empty while it can. */
  readonly failing: readonly string[];
  /** How often its branch was moved by somebody else while it was tested; absent: never. */
  readonly outrun?: number;
  readonly buildSet: ItemBuildSet;
}

/** One try at an item: from a reset on, there is a new one. */
export interface ItemBuildSet {
  readonly key: string;
  readonly number: number;
  /** What it is built on, frozen when it was first asked for; null until then. */
  readonly base: SpeculativeBase | null;
  readonly trouble: PrepareTrouble | null;
  readonly builds: BuildSetState | null;
  /** Keys of jobs that somebody wants to run again, of which the build set has not said yet whether they do. */
  readonly asked?: readonly string[];
  readonly warnings: readonly string[];
}

export interface SpeculativeBase {
  /** Keys of the changes ahead, oldest first. */
  readonly ahead: readonly string[];
  /** Build set of the item directly ahead; null when the changes ahead are to be merged onto the branches' tips. */
  readonly buildSet: string | null;
  /** The changes ahead as the items that they are, when those are only there to be under this one. */
  readonly untested?: readonly (readonly string[])[];
}

/** A gate that has heard nothing yet. */
export function initialGate(): GateState {
  return {
    time: 0,
    serial: 0,
    pipelines: [],
    limits: {},
    standings: {},
    facts: { changes: {}, patchsets: {} },
    queues: [],
    outbox: [],
    undelivered: [],
    keepsMerged: true,
    stacksOnMerging: true,
    mergesTogether: true,
    startsLate: true,
    dropsStarts: true,
  };
}
