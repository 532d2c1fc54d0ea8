import type { Actor } from '../model/actor.ts';
import type { Operation } from './access.ts';

/** What an act was about, besides changes: names and numbers alone, never a text that somebody wrote. */
export interface ActAbout {
  readonly pipeline?: string;
  readonly job?: string;
  readonly build?: string;
  readonly buildSet?: string;
  readonly project?: string;
  readonly branch?: string;
  readonly ref?: string;
  readonly platform?: string;
  /** A set of mirrors. */
  readonly set?: string;
  readonly hold?: string;
  readonly plan?: string;
  /** A released one. */
  readonly repository?: string;
  readonly label?: string;
  readonly value?: number;
  /** Where an operation has several. */
  readonly action?: string;
}

/** What somebody has asked for, and what came of it: a line of the audit log. */
export interface Act {
  readonly id: string;
  /** When it was asked for, milliseconds since the epoch. */
  readonly time: number;
  readonly by: Actor;
  readonly operation: Operation;
  /** Ids of the changes that it was about. */
  readonly changes: readonly string[];
  readonly about: ActAbout;
  /** `failed`: the server could not, by no fault of who asked. */
  readonly outcome: 'done' | 'refused' | 'failed';
  /** Why not; empty where it was done. */
  readonly reason: string;
}
