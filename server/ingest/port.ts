import type { Occurrence, Webhook } from '../../activities/review/port.ts';

/** An occurrence of a connection, to be kept. */
export interface Arrival {
  readonly connection: string;
  readonly occurrence: Occurrence;
  /** Milliseconds since the epoch. */
  readonly received: number;
}

/** One that is kept and not handled yet. */
export interface Waiting {
  readonly occurrence: Occurrence;
  /** How often it was tried in vain. */
  readonly attempts: number;
  /** Not to be tried before; milliseconds since the epoch. */
  readonly due: number;
}

/** What became of a try. */
export type Outcome =
  | { readonly state: 'done' }
  /** To be tried again. */
  | { readonly state: 'waiting'; readonly due: number; readonly reason: string }
  /** Given up. */
  | { readonly state: 'dead'; readonly reason: string };

/** How many of a connection's occurrences wait, and how many were given up. */
export interface Backlog {
  readonly connection: string;
  readonly waiting: number;
  readonly dead: number;
}

/** Where occurrences are kept: what is answered for is there after the process was killed. */
export interface OccurrenceStore {
  /** Keeps all or none. @returns for each whether it is new: one of that connection and id was not kept before. */
  keep(arrivals: readonly Arrival[]): Promise<readonly boolean[]>;
  /** The first ones of a connection that wait, in the order in which they came. */
  first(connection: string, limit: number): Promise<readonly Waiting[]>;
  /** Writes down what became of a try; a try that was no success counts. */
  settle(connection: string, id: string, outcome: Outcome): Promise<void>;
  /** Only connections that have any. */
  backlog(): Promise<readonly Backlog[]>;
  /** Removes what was received before a time (milliseconds) and does not wait. */
  forget(before: number): Promise<void>;
}

/** Takes an occurrence of a connection; once this answers it is not lost any more. @returns whether it is new. */
export type Door = (connection: string, occurrence: Occurrence) => Promise<boolean>;

/** What a delivery came to, for those who count. */
export type Answered = 'new' | 'known' | 'unknown' | 'malformed' | 'unsigned' | 'unavailable';

export interface WebhookDeps {
  /** How a connection takes what its host posts; null for one that takes nothing, or that there is not. */
  readonly webhook: (connection: string) => Webhook | null;
  readonly take: Door;
  readonly count: (connection: string, answered: Answered) => void;
}
