import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogInfo, LogReader, LogWatch } from '../port.ts';
import { openStored } from './stored-file.ts';

/** Milliseconds between two looks at a log that is being written. */
const pause = 200;

export const buildPattern = /^[a-z0-9][a-z0-9-]*$/;
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** The end of a log's name while it is written. */
export const partial = '.part';

interface LogFile extends LogInfo {
  readonly path: string;
}

/** Reads the logs below `root`: `logs/BUILD/NAME`, or `NAME.part` while it is written. */
export function createLogReader(root: string): LogReader {
  const findFile = async (build: string, name: string | undefined) =>
    (await listFiles(root, build)).find((log) => name === undefined || log.name === name);
  return {
    list: async (build) => (await listFiles(root, build)).map(({ name, complete }) => ({ name, complete })),
    find: async (build, name) => {
      // It may be renamed between the look and the opening.
      for (let look = 0; look < 2; look += 1) {
        const file = await findFile(build, name);
        const opened = file === undefined ? null : await openStored(file.path);
        if (opened !== null) return opened;
      }
      return null;
    },
    follow: (build, name, watch) => followFile(() => findFile(build, name), watch),
  };
}

async function listFiles(root: string, build: string): Promise<LogFile[]> {
  if (!buildPattern.test(build)) return [];
  const directory = join(root, 'logs', build);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  return names.sort().map((file) => {
    const complete = !file.endsWith(partial);
    return { name: complete ? file : file.slice(0, -partial.length), path: join(directory, file), complete };
  });
}

/** Looks for the file anew each time: it is renamed when it is complete, and back when another attempt goes on with it. */
async function* followFile(
  find: () => Promise<LogFile | undefined>,
  { ended, signal }: LogWatch,
): AsyncGenerator<Buffer> {
  let position = 0;
  while (!signal.aborted) {
    // Asked before the file is read: what was written up to then is in the file.
    const over = await ended();
    const file = await find();
    if (file) {
      for await (const chunk of readFrom(file.path, position)) {
        position += chunk.length;
        yield chunk;
      }
    }
    if (over) return;
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** A file that is renamed just now reads as empty: the next look finds it. */
async function* readFrom(path: string, position: number): AsyncGenerator<Buffer> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (handle) yield* handle.createReadStream({ start: position });
}
