import { join } from 'node:path';
import type { Logger } from 'pino';
import { makeOpenDirectory } from '../../activities/files/modes.ts';
import { writeWhole } from '../../activities/files/write.ts';
import { type Marks, mark, markNamed, noMarks, writeMarks } from '../../activities/storage/marks.ts';
import type { Store } from '../store/store.ts';

/** The list's place below storage: written by the server, which knows, and read by `sluice prune`. */
export function inUsePath(storage: string): string {
  return join(storage, 'in-use.json');
}

export interface InUseDeps {
  readonly store: Pick<Store, 'listReferrers'>;
  /** All that open workflows hold, as texts. */
  readonly open: () => AsyncIterable<string>;
  readonly storage: string;
  /** Seconds that things stay after their end. */
  readonly keep: () => number;
}

/** Milliseconds between two looks that nobody asked for: a stack that stops leaves a list behind. */
const period = 6 * 3_600_000;

export interface InUse {
  /** Looks for all that is in use and writes it down. @returns when it began, in milliseconds since the epoch. */
  look(): Promise<number>;
  /** Looks now and then until it is stopped. */
  keepLooking(logger: Logger): { stop(): void };
}

export function createInUse(deps: InUseDeps): InUse {
  const look = async () => {
    const time = Date.now();
    const marks = noMarks();
    for await (const text of deps.open()) markNamed(marks, text, Number.POSITIVE_INFINITY);
    await markRecorded(deps, marks, time);
    await makeOpenDirectory(deps.storage);
    await writeWhole(inUsePath(deps.storage), writeMarks({ time, marks }));
    return time;
  };
  return {
    look,
    keepLooking(logger) {
      const again = () => void look().catch((error) => logger.warn({ error }, 'cannot list what is in use'));
      again();
      const timer = setInterval(again, period);
      return { stop: () => clearInterval(timer) };
    },
  };
}

/** Releases are kept for good, as the repositories are that they went to; everything else until its time is over. */
async function markRecorded({ store, keep }: InUseDeps, marks: Marks, now: number): Promise<void> {
  const seconds = keep();
  const since = seconds > 0 ? now - seconds * 1000 : 0;
  for await (const { kind, id, text, ended } of store.listReferrers(since)) {
    const until = kind === 'releases' ? Number.POSITIVE_INFINITY : (ended ?? Number.POSITIVE_INFINITY);
    markNamed(marks, text, until);
    if (kind === 'builds') mark(marks.logs, id, until);
  }
}
