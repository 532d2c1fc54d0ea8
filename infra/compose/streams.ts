import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Stream } from '../../activities/review/port.ts';
import type { UnheardConnection } from '../../server/api/types.ts';
import type { Door } from '../../server/ingest/port.ts';

export interface StreamsDeps {
  readonly connections: readonly { readonly name: string; readonly stream: Stream | null }[];
  readonly take: Door;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** Milliseconds until one that ended is begun again; the tests' are shorter. */
  readonly pause?: number;
}

export interface Streams {
  /** Those that are not heard now, and why. */
  unheard(): readonly UnheardConnection[];
  /** Ends when no stream takes anything any more, or after a moment. */
  stop(): Promise<void>;
}

/** Milliseconds between an end that nobody asked for and the next beginning, and what a stop waits for. */
const usualPause = 5_000;
const moment = 2_000;

/** Listens to every connection that has a stream: what it tells is kept before the next is asked for. */
export function listenToStreams(deps: StreamsDeps): Streams {
  const stopping = new AbortController();
  const troubles = new Map<string, string>();
  const running = deps.connections.map(({ name, stream }) =>
    stream === null ? undefined : keepListening(deps, { name, stream, troubles, signal: stopping.signal }),
  );
  return {
    unheard: () => [...troubles].map(([connection, reason]) => ({ connection, reason })),
    async stop() {
      stopping.abort();
      await Promise.race([Promise.all(running), sleep(moment, undefined, { ref: false })]);
    },
  };
}

interface Listening {
  readonly name: string;
  readonly stream: Stream;
  /** Connection to what is wrong with it now. */
  readonly troubles: Map<string, string>;
  readonly signal: AbortSignal;
}

async function keepListening({ take, logger, pause }: StreamsDeps, listening: Listening): Promise<void> {
  const { name, stream, troubles, signal } = listening;
  const warn = (message: string) => {
    if (signal.aborted) return;
    if (troubles.get(name) !== message) logger.warn({ connection: name }, message);
    troubles.set(name, message);
  };
  const heard = () => {
    if (troubles.delete(name)) logger.info({ connection: name }, 'its events are heard again');
  };
  while (!signal.aborted) {
    try {
      await stream.listen({
        take: async (occurrence) => {
          heard();
          await take(name, occurrence);
        },
        warn,
        heard,
        signal,
      });
      warn('its events ended');
    } catch (error) {
      warn((error as Error).message);
    }
    await sleep(pause ?? usualPause, undefined, { signal }).catch(() => {});
  }
}
