import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeNotReady, type Occurrence } from '../../activities/review/port.ts';
import type { Aside } from './aside.ts';
import type { OccurrenceStore, Outcome, Waiting } from './port.ts';

/**
 * Hands on what has happened. It may be repeated: a process can end between this and the note of it.
 *
 * @param mayTell is waited for by a look that has read all that it wants, before it tells anybody
 */
type Hand = (connection: string, occurrence: Occurrence, mayTell: () => Promise<void>) => Promise<void>;

export interface TryDeps {
  readonly store: Pick<OccurrenceStore, 'settle'>;
  readonly hand: Hand;
  readonly warn: (about: object, message: string) => void;
  /** Milliseconds until the first repeat; the tests' are shorter. */
  readonly pause?: number;
}

/** Where the occurrences of a connection are handed on. */
export interface Lane {
  readonly connection: string;
  readonly aside: Aside;
  readonly signal: AbortSignal;
}

/** Tries of one occurrence until it is given up. With the pauses below, three minutes after the first. */
export const mostAttempts = 10;
const longestPause = 60_000;

const atOnce = async () => {};

export interface Tried {
  /** What is to be tried again; null when it is over, or the process ends. */
  readonly next: Waiting | null;
  /** False when the host cannot say yet what was asked of the change. */
  readonly isReady: boolean;
  readonly done: boolean;
}

/**
 * Tries one again until it is done or given up; the others of its connection wait, unless the host has only nothing to
 * say yet of the change that it is about.
 *
 * @param tried what came of it so far
 * @returns whether it is done
 */
export async function settle(deps: TryDeps, lane: Lane, tried: Tried): Promise<boolean> {
  for (let now = tried; ; ) {
    const { next, isReady, done } = now;
    if (next === null) return done;
    if (!isReady) {
      lane.aside.add(next, () => settleAside(deps, lane, next));
      return false;
    }
    now = await tryOnce(deps, lane, next);
  }
}

/** The same beside the others. What cannot be written down is met again by whoever reads what waits. */
export async function settleAside(deps: TryDeps, lane: Lane, one: Waiting): Promise<void> {
  try {
    for (let now: Waiting | null = one; now !== null; ) now = (await tryOnce(deps, lane, now)).next;
  } catch (error) {
    deps.warn({ connection: lane.connection, error }, 'cannot write what came of an event');
  }
}

export async function tryOnce(
  deps: TryDeps,
  { connection, signal }: Lane,
  { mayTell = atOnce, ...one }: Waiting & { readonly mayTell?: () => Promise<void> },
): Promise<Tried> {
  await sleep(Math.max(0, one.due - Date.now()), undefined, { signal }).catch(() => {});
  if (signal.aborted) return { next: null, isReady: true, done: false };
  const { outcome, error } = await attempt(deps, connection, { ...one, mayTell });
  await deps.store.settle(connection, one.occurrence.id, outcome);
  const again = outcome.state === 'waiting' ? { ...one, attempts: one.attempts + 1, due: outcome.due } : null;
  return { next: again, isReady: !(error instanceof ChangeNotReady), done: outcome.state === 'done' };
}

interface Attempted {
  readonly outcome: Outcome;
  readonly error?: unknown;
}

async function attempt(
  deps: TryDeps,
  connection: string,
  { occurrence, attempts, mayTell }: Waiting & { readonly mayTell: () => Promise<void> },
): Promise<Attempted> {
  try {
    await deps.hand(connection, occurrence, mayTell);
    return { outcome: { state: 'done' } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const again = attempts + 1 < mostAttempts;
    deps.warn({ connection, occurrence: occurrence.id, error }, `an event is not handled${again ? '' : ': given up'}`);
    if (!again) return { error, outcome: { state: 'dead', reason } };
    const pause = Math.min((deps.pause ?? 500) * 2 ** attempts, longestPause);
    return { error, outcome: { state: 'waiting', due: Date.now() + pause, reason } };
  }
}
