import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Aside } from './aside.ts';
import { Lot } from './lot.ts';
import type { OccurrenceStore, Outcome, Waiting } from './port.ts';
import { type Lane, mostAttempts, settleAside, type TryDeps } from './tries.ts';

export interface DrainDeps extends TryDeps {
  readonly store: Pick<OccurrenceStore, 'first' | 'settle' | 'forget'>;
  readonly connections: readonly string[];
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
/** So many are read from the store at once. */
const page = 50;
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

interface Heard extends Lane {
  readonly bell: Bell;
}

async function runLane(deps: DrainDeps, lane: Heard): Promise<void> {
  const { connection, bell, aside, signal } = lane;
  const lot = new Lot(deps, lane);
  let begun = false;
  while (!signal.aborted) {
    try {
      if (!begun) await suspect(deps, connection);
      begun = true;
      const limit = page + aside.sweep();
      const waiting = await deps.store.first(connection, limit);
      await handOn(deps, lane, { waiting, lot });
      // Where there were fewer, these are all.
      if (waiting.length < limit) await bell.heard(patience);
    } catch (error) {
      deps.warn({ connection, error }, 'cannot read or write what a review system has told');
      await sleep(deps.pause ?? 1_000, undefined, { signal }).catch(() => {});
    }
  }
  await aside.ended();
}

interface Read {
  readonly waiting: readonly Waiting[];
  readonly lot: Lot;
}

async function handOn(deps: DrainDeps, lane: Lane, { waiting, lot }: Read): Promise<void> {
  const { connection, aside, signal } = lane;
  // Looked at since these were read: what they tell of was there to be seen.
  const looked = new Set<string>();
  const tell = async () => {
    for (const one of await lot.end()) for (const id of looksOf(one)) looked.add(id);
  };
  try {
    for (const one of waiting) {
      if (aside.has(one)) continue;
      if (!lot.accepts(one)) await tell();
      if (signal.aborted) return;
      if (aside.concerns(one)) aside.add(one, () => settleAside(deps, lane, one));
      else if (asksNoMore(one, looked)) await deps.store.settle(connection, one.occurrence.id, { state: 'done' });
      else if (!(await lot.take(one))) await tell();
      // A store in this process answers at once: whoever posts something has their turn in between.
      await turn();
    }
  } finally {
    await tell();
  }
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

/** What is looked at: changes, by id, and the connection's list of projects. */
function looksOf({ occurrence }: Waiting): readonly string[] {
  return occurrence.news.flatMap((one) => (one.kind === 'event' ? [] : one.kind === 'look' ? [one.change] : one.kind));
}

/** Whether one asks for nothing but looks at what was looked at. */
function asksNoMore(one: Waiting, looked: ReadonlySet<string>): boolean {
  const looks = looksOf(one);
  return looks.length === one.occurrence.news.length && looks.every((change) => looked.has(change));
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
