import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Lease, Provider } from '../../activities/nodes/port.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import type { BuildLog, StageContext } from '../../activities/ports.ts';
import { createRoom } from '../../activities/storage/log-room.ts';

/** Bytes after which a log is cut. */
const limit = 64 * 1024 * 1024;

/** A stage's log in a file; its sections are progress. */
export async function openLog(path: string, onProgress: (line: string) => void): Promise<BuildLog> {
  await mkdir(dirname(path), { recursive: true });
  const stream = createWriteStream(path);
  const room = createRoom(limit);
  return {
    write: (text) => void stream.write(room.text(text)),
    section: (title) => {
      stream.write(room.heading(title));
      onProgress(title);
    },
    close: async () => {
      stream.end();
      await finished(stream);
      return { name: 'log', url: path };
    },
  };
}

/** What a stage gets when no worker runs it. */
export function handContext(given: Omit<StageContext, 'heartbeat' | 'cancellation'>): StageContext {
  return { ...given, cancellation: given.signal, heartbeat: () => {} };
}

/** Lends machines for work, and takes them back; the name tells whose they are. */
export type Lend = <T extends object>(build: string, work: (lease: Lease) => Promise<T>) => Promise<T>;

/** Works with machines of this host, containers unless something else is said, which are gone afterwards, also those of a cancelled command. */
export function withMachines<T extends object>(
  build: string,
  work: (lease: Lease) => Promise<T>,
  provider: Provider = openProvider('docker'),
): Promise<T> {
  // What cannot be removed takes nothing from the result.
  const release = (lease: Lease) => provider.release(lease).catch(() => {});
  return withLease({ ...provider, release }, { build }, work);
}
