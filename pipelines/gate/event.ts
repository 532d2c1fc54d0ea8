import type { BuildSetEvent } from '../jobs/state.ts';
import type { Pipeline } from '../model/pipeline.ts';
import type { ChangeFacts, GateLimits, PrepareOutcome, ProvidedResult } from './command.ts';
import type { Item, OutboxAction, Queue, SpeculativeBase, Standing, Undelivered } from './state.ts';

/** What happened, once decided. Folding these over the initial state gives the state again. */
export type GateEvent = GeneralEvent | QueueEvent | ItemEvent;

type GeneralEvent =
  | { readonly type: 'time-passed'; readonly time: number }
  | { readonly type: 'configured'; readonly pipelines: readonly Pipeline[]; readonly limits: GateLimits }
  | { readonly type: 'observed'; readonly changes: readonly ChangeFacts[] }
  | { readonly type: 'forgot'; readonly changes: readonly string[] }
  | ResultsKept
  | { readonly type: 'standing-changed'; readonly pipeline: string; readonly standing: Standing }
  | { readonly type: 'action-wanted'; readonly action: OutboxAction }
  | { readonly type: 'action-done'; readonly key: string }
  | { readonly type: 'action-given-up'; readonly undelivered: Undelivered };

/** What the change's jobs provide to others, kept when its item leaves. */
export interface ResultsKept {
  readonly type: 'results-kept';
  readonly change: string;
  readonly pipeline: string;
  readonly results: readonly ProvidedResult[];
}

export type QueueEvent =
  | { readonly type: 'queue-opened'; readonly queue: Queue }
  | { readonly type: 'queue-closed'; readonly queue: string }
  | { readonly type: 'queue-promoted'; readonly queue: string }
  | { readonly type: 'window-changed'; readonly queue: string; readonly window: number }
  | { readonly type: 'item-enqueued'; readonly item: Item }
  /** The followers are then built on what the item was built on. */
  | { readonly type: 'item-dequeued'; readonly item: string }
  /** The item goes to the end of another queue, with all that it has. */
  | { readonly type: 'item-transferred'; readonly item: string; readonly queue: string }
  /** The item is built on another one; its followers on what it was built on before. */
  | { readonly type: 'item-moved'; readonly item: string; readonly ahead: string | null };

export type ItemEvent =
  | { readonly type: 'item-activated'; readonly item: string; readonly active: boolean }
  /** The build set is given up for a new one. */
  | { readonly type: 'item-reset'; readonly item: string }
  /** Its branch was moved by somebody else while it was tested: it is tested on what the branch is now. */
  | { readonly type: 'item-outrun'; readonly item: string }
  | { readonly type: 'item-based'; readonly item: string; readonly base: SpeculativeBase }
  | { readonly type: 'item-prepared'; readonly item: string; readonly outcome: PrepareOutcome }
  | { readonly type: 'item-failing'; readonly item: string; readonly reasons: readonly string[] }
  | { readonly type: 'builds-changed'; readonly item: string; readonly change: BuildSetEvent }
  /** Keys of the jobs of which the build set is to say whether they run again. */
  | { readonly type: 'retriggers-asked'; readonly item: string; readonly jobs: readonly string[] }
  | { readonly type: 'enqueue-reported'; readonly item: string }
  | { readonly type: 'start-reported'; readonly item: string }
  /** The word that its jobs begin is taken back before anybody was told. */
  | { readonly type: 'start-dropped'; readonly item: string }
  | { readonly type: 'phase-changed'; readonly item: string; readonly phase: Item['phase'] };
