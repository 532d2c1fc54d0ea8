import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { ChangeNotReady, type Occurrence } from '../../activities/review/port.ts';
import { Aside } from './aside.ts';
import type { OccurrenceStore, Outcome, Waiting } from './port.ts';

export interface DrainDeps {
  readonly store: Pick<OccurrenceStore, 'first' | 'settle' | 'forget'>;
  readonly connections: readonly string[];
  /** Hands on what has happened. It may be repeated: a process can end between this and the note of it. */
  readonly hand: (connection: string, occurrence: Occurrence) => Promise<void>;
  readonly warn: (about: object, message: string) => void;
  /** Milliseconds until the first repeat; the tests' are shorter. */
  readonly pause?: number;
}

/** The worker behind the door: hands on what is kept, each connection's in its order. */
export interface Drain {
  /** Says that a connection has something new. */
  wake(connection: string): void;
  /** Ends when nothing is under way, or after a moment: what is left is handed on after the next start. */
  stop(): Promise<void>;
}

const hour = 3_600_000;
/** Milliseconds that a try may take when it is to stop. */
const moment = 2_000;
/** Tries of one occurrence until it is given up. With the pauses below, three minutes after the first. */
const mostAttempts = 10;
const longestPause = 60_000;
/** So many are read at once. */
const lot = 50;
/** Milliseconds after which one that was handled is not known any more: no host delivers again after so long. */
const memory = 30 * 24 * hour;
/** Milliseconds between two looks that nothing has woken. */
const patience = 10_000;

export function startDrain(deps: DrainDeps): Drain {
  const stopping = new AbortController();
  const bells = new Map(deps.connections.map((connection) => [connection, createBell(stopping.signal)]));
  const lanes = [...bells].map(([connection, bell]) =>
    runLane(deps, { connection, bell, aside: new Aside(), signal: stopping.signal }),
  );
  const forgetting = setInterval(() => void forget(deps), hour);
  forgetting.unref();
  void forget(deps);
  return {
    wake: (connection) => bells.get(connection)?.ring(),
    async stop() {
      clearInterval(forgetting);
      stopping.abort();
      // What hangs is no reason to stay: nobody may be there any more to answer it.
      await Promise.race([Promise.all(lanes), sleep(moment, undefined, { ref: false })]);
    },
  };
}

interface Lane {
  readonly connection: string;
  readonly bell: Bell;
  readonly aside: Aside;
  readonly signal: AbortSignal;
}

async function runLane(deps: DrainDeps, lane: Lane): Promise<void> {
  const { connection, bell, aside, signal } = lane;
  let begun = false;
  while (!signal.aborted) {
    try {
      if (!begun) await suspect(deps, connection);
      begun = true;
      const limit = lot + aside.sweep();
      const waiting = await deps.store.first(connection, limit);
      // Looked at since these were read: what they tell of was there to be seen.
      const looked = new Set<string>();
      for (const one of waiting) {
        if (aside.has(one)) continue;
        if (aside.concerns(one)) aside.add(one, () => settleAside(deps, lane, one));
        else if (asksNoMore(one, looked)) await deps.store.settle(connection, one.occurrence.id, { state: 'done' });
        else if (!signal.aborted && (await settle(deps, lane, one))) for (const id of looksOf(one)) looked.add(id);
        // A store in this process answers at once: whoever posts something has their turn in between.
        await turn();
      }
      // A lot that is not full is all that there was.
      if (waiting.length < limit) await bell.heard(patience);
    } catch (error) {
      deps.warn({ connection, error }, 'cannot read or write what a review system has told');
      await sleep(deps.pause ?? 1_000, undefined, { signal }).catch(() => {});
    }
  }
  await aside.ended();
}

/**
 * The first one after a start may be what the last process ended of: that was a try, so that one which ends the process
 * each time is given up as well.
 */
async function suspect({ store }: DrainDeps, connection: string): Promise<void> {
  const [first] = await store.first(connection, 1);
  if (first === undefined) return;
  const { occurrence, attempts, due } = first;
  const outcome: Outcome =
    attempts + 1 < mostAttempts
      ? { state: 'waiting', due, reason: 'the server was stopped' }
      : { state: 'dead', reason: 'the server was stopped each time' };
  await store.settle(connection, occurrence.id, outcome);
}

/**
 * Tries one until it is done or given up; the others of its connection wait, unless the host has only nothing to say
 * yet of the change that it is about.
 *
 * @returns whether it is done
 */
async function settle(deps: DrainDeps, lane: Lane, one: Waiting): Promise<boolean> {
  for (let now = one; ; ) {
    const { next, isReady, done } = await tryOnce(deps, lane, now);
    if (next === null) return done;
    if (!isReady) {
      lane.aside.add(next, () => settleAside(deps, lane, next));
      return false;
    }
    now = next;
  }
}

/** What is looked at: changes, by id, and the connection's list of projects. */
function looksOf({ occurrence }: Waiting): readonly string[] {
  return occurrence.news.flatMap((one) => (one.kind === 'event' ? [] : one.kind === 'look' ? [one.change] : one.kind));
}

/** Whether one asks for nothing but looks at what was looked at. */
function asksNoMore(one: Waiting, looked: ReadonlySet<string>): boolean {
  const looks = looksOf(one);
  return looks.length === one.occurrence.news.length && looks.every((change) => looked.has(change));
}

/** The same beside the others. What cannot be written down is met again by whoever reads what waits. */
async function settleAside(deps: DrainDeps, lane: Lane, one: Waiting): Promise<void> {
  try {
    for (let now: Waiting | null = one; now !== null; ) now = (await tryOnce(deps, lane, now)).next;
  } catch (error) {
    deps.warn({ connection: lane.connection, error }, 'cannot write what came of an event');
  }
}

interface Tried {
  /** What is to be tried again; null when it is over, or the process ends. */
  readonly next: Waiting | null;
  /** False when the host cannot say yet what was asked of the change. */
  readonly isReady: boolean;
  readonly done: boolean;
}

async function tryOnce(deps: DrainDeps, { connection, signal }: Lane, one: Waiting): Promise<Tried> {
  await sleep(Math.max(0, one.due - Date.now()), undefined, { signal }).catch(() => {});
  if (signal.aborted) return { next: null, isReady: true, done: false };
  const { outcome, error } = await attempt(deps, connection, one);
  await deps.store.settle(connection, one.occurrence.id, outcome);
  const again = outcome.state === 'waiting' ? { ...one, attempts: one.attempts + 1, due: outcome.due } : null;
  return { next: again, isReady: !(error instanceof ChangeNotReady), done: outcome.state === 'done' };
}

interface Attempted {
  readonly outcome: Outcome;
  readonly error?: unknown;
}

async function attempt(deps: DrainDeps, connection: string, { occurrence, attempts }: Waiting): Promise<Attempted> {
  try {
    await deps.hand(connection, occurrence);
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

async function forget({ store, warn }: DrainDeps): Promise<void> {
  await store.forget(Date.now() - memory).catch((error) => warn({ error }, 'cannot forget what was handled'));
}

interface Bell {
  ring(): void;
  /** Waits until it rings, if it has not rung since the last time, or until the time (milliseconds) is over. */
  heard(patience: number): Promise<void>;
}

function createBell(signal: AbortSignal): Bell {
  let rung = false;
  let hear = () => {};
  signal.addEventListener('abort', () => hear());
  return {
    ring() {
      rung = true;
      hear();
    },
    async heard(patience) {
      if (!rung && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, patience);
        hear = resolve;
        await promise;
        clearTimeout(timer);
      }
      rung = false;
    },
  };
}
