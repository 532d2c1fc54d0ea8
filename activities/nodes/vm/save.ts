import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { lost } from './emulator.ts';
import { type Monitor, withMonitor } from './monitor.ts';

/** Milliseconds between two looks at how far it is. */
const pause = 25;

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
export async function saveMemory(directory: string, path: string, after: 'end' | 'stand' = 'end'): Promise<void> {
  const handle = await open(directory);
  const server = createServer();
  try {
    // The emulator may start no program and open no file by then: it is given a socket to write to.
    server.listen(`/proc/self/fd/${handle.fd}/memory.socket`);
    await once(server, 'listening');
    const written = once(server, 'connection').then(([socket]: Socket[]) => {
      if (socket !== undefined)
        return pipeline(socket, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
    });
    written.catch(() => {});
    await withMonitor(directory, async (monitor) => {
      await monitor.ask('stop');
      await monitor.ask('migrate-set-parameters', { 'max-bandwidth': 0 });
      await monitor.ask('migrate', { uri: 'unix:memory.socket' });
      await completed(monitor);
      await written;
      if (after === 'end') await monitor.ask('quit');
    });
  } catch (error) {
    throw lost('save the memory', error);
  } finally {
    server.close();
    await handle.close();
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
