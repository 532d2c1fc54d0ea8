import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveEvent } from '../activities/report/port.ts';
import { eventView } from './api/views.ts';
import type { LiveStream } from './live.ts';

export interface WatchLimits {
  /** Milliseconds between two signs of life: proxies close silent connections. */
  readonly beat: number;
  /** Things that may wait for a reader to read of them; what happens to one of them meanwhile replaces what waits. */
  readonly most: number;
}

/**
 * What happens, as the text of server-sent events, as fast as its reader takes it. Each event tells all of one thing:
 * of a thing that changes while the reader is busy only the latest is kept. A reader whom too many things wait for is
 * told so, and that is the end: it may begin again with the status.
 */
export async function* watch(
  live: Pick<LiveStream, 'subscribe'>,
  signal: AbortSignal,
  { beat, most }: WatchLimits,
): AsyncGenerator<string> {
  const waiting = new Map<string, LiveEvent>();
  let tooMany = false;
  let wake = Promise.withResolvers<void>();
  const unsubscribe = live.subscribe((event) => {
    const key = keyOf(event);
    waiting.delete(key);
    waiting.set(key, event);
    if (waiting.size > most) {
      tooMany = true;
      waiting.clear();
      unsubscribe();
    }
    wake.resolve();
  });
  try {
    yield 'retry: 1000\n\n';
    while (!signal.aborted) {
      if (tooMany) return yield farewell(most);
      const [key, event] = waiting.entries().next().value ?? [];
      if (key !== undefined && event !== undefined) {
        waiting.delete(key);
        yield eventText(event);
        continue;
      }
      wake = Promise.withResolvers<void>();
      if (!(await within(wake.promise, beat, signal))) yield ': still here\n\n';
    }
  } finally {
    unsubscribe();
  }
}

/** Whether it happened in time; also true when nobody listens any more. */
async function within(happening: Promise<void>, time: number, signal: AbortSignal): Promise<boolean> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const timer = sleep(time, false, { signal: stop, ref: false }).catch(() => true);
  const happened = await Promise.race([happening.then(() => true), timer]);
  ended.abort();
  return happened;
}

/** What an event is about: the next one about it says all that this one does. */
function keyOf({ type, data }: LiveEvent): string {
  if (type === 'configuration') return type;
  return `${type} ${type === 'queue' || type === 'build-set' ? data.workflow : data.id}`;
}

function eventText(event: LiveEvent): string {
  const { type, data } = eventView(event);
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function farewell(most: number): string {
  const reason = `you read too slowly: more than ${most} things changed meanwhile; read the status and begin again`;
  return `event: dropped\ndata: ${JSON.stringify({ reason })}\n\n`;
}
