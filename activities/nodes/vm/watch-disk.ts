import { setTimeout as sleep } from 'node:timers/promises';
import { endEmulator } from './emulator.ts';
import type { Spot } from './hosts/port.ts';
import { withMonitor } from './monitor.ts';

/** Milliseconds between two looks. */
const pause = 5_000;

/** A machine that is looked at. */
export interface Watched extends Spot {
  readonly id: string;
  /** Hears why it is ended. */
  readonly tell: (line: string) => void;
}

/**
 * Looks now and then whether a machine stands still because the disk of this host is full, as the emulator has it then,
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
      if (status !== 'io-error' || signal.aborted) continue;
      tell('the disk of this host is full, or broken: a machine that cannot write stands still, and is given up');
      return endEmulator(spot.host, id);
    }
  };
  look().catch(() => {});
  return () => over.abort();
}
