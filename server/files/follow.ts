import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks at a log that is being written. */
const pause = 200;

/** What to follow: `find` looks anew each time, as the file is renamed when it is complete. */
export interface Followed {
  readonly find: () => Promise<{ readonly path: string; readonly complete: boolean } | undefined>;
  /** Whether nobody will write any more, although the log is not complete: its build has ended. */
  readonly ended: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** The content of a log from its beginning, as it grows, until it is complete or its build has ended. */
export async function* followLog(log: Followed): AsyncGenerator<Buffer> {
  let position = 0;
  while (!log.signal.aborted) {
    // Asked before the file is read: what was written up to then is in the file.
    const ended = await log.ended();
    const file = await log.find();
    if (file) {
      for await (const chunk of readFrom(file.path, position)) {
        position += chunk.length;
        yield chunk;
      }
    }
    if (file?.complete || ended) return;
    await sleep(pause, undefined, { signal: log.signal }).catch(() => {});
  }
}

/** A file that is renamed just now reads as empty: the next look finds it. */
async function* readFrom(path: string, position: number): AsyncGenerator<Buffer> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (handle) yield* handle.createReadStream({ start: position });
}
