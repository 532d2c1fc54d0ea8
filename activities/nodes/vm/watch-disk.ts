import { setTimeout as sleep } from 'node:timers/promises';
import { endEmulator } from './emulator.ts';
import type { Spot } from './hosts/port.ts';
import { withMonitor } from './monitor.ts';

/** Milliseconds between two looks. */
const pause = 5_000;

/** Why a machine stands still, by what the emulator calls that. */
const standing = new Map([
  ['io-error', 'the disk of its host is full, or broken'],
  ['internal-error', 'KVM of its host cannot go on with it'],
]);

/** A machine that is looked at. */
export interface Watched extends Spot {
  readonly id: string;
  /** Hears why it is ended. */
  readonly tell: (line: string) => void;
}

/**
 * Looks now and then whether a machine stands still because the disk of its host is full, or the emulator is at its end,
 * and ends it: whoever works on it learns at once that it is lost, in the place of its timeout.
 *
 * @returns ends the looking
 */
export function watchDisk({ id, tell, ...spot }: Watched, every = pause): () => void {
  const over = new AbortController();
  const { signal } = over;
  const look = async () => {
    for (;;) {
      await sleep(every, undefined, { signal, ref: false });
      // Who saves it has its monitor for a while, and one that is gone is somebody else's to mourn.
      const { status } = await withMonitor(spot, (monitor) =>
        monitor.ask<{ readonly status: string }>('query-status'),
      ).catch(() => ({ status: 'unknown' }));
      const why = standing.get(status);
      if (why === undefined || signal.aborted) continue;
      tell(`${why}: a machine that stands still is given up`);
      return endEmulator(spot.host, id);
    }
  };
  look().catch(() => {});
  return () => over.abort();
}
