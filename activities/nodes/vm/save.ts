import { setTimeout as sleep } from 'node:timers/promises';
import { lost } from './emulator.ts';
import type { Spot } from './hosts/port.ts';
import { type Monitor, withMonitor } from './monitor.ts';

/** Milliseconds between two looks at how far it is. */
const pause = 25;

/** The emulator may start no program and open no file by then: it is given a socket to write to. */
const socket = 'memory.socket';

interface Progress {
  readonly status: string;
  readonly 'error-desc'?: string;
}

/**
 * Stops a machine and writes its memory into a new file: what is on its disk then belongs to that memory.
 *
 * @param after whether the machine ends, or stands still until it is told to go on
 * @throws EngineUnavailable when that fails
 */
export async function saveMemory(spot: Spot, path: string, after: 'end' | 'stand' = 'end'): Promise<void> {
  try {
    const { written, close } = await spot.host.receive(spot.directory, socket, path);
    try {
      await withMonitor(spot, async (monitor) => {
        await monitor.ask('stop');
        await monitor.ask('migrate-set-parameters', { 'max-bandwidth': 0 });
        await monitor.ask('migrate', { uri: `unix:${socket}` });
        await completed(monitor);
        await written;
        if (after === 'end') await monitor.ask('quit');
      });
    } finally {
      close();
    }
  } catch (error) {
    throw lost('save the memory', error);
  }
}

async function completed(monitor: Monitor): Promise<void> {
  for (;;) {
    const { status, 'error-desc': reason } = await monitor.ask<Progress>('query-migrate');
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') throw new Error(reason ?? status);
    await sleep(pause);
  }
}
