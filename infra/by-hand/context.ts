import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import type { BuildLog, StageContext } from '../../activities/ports.ts';
import { createRoom } from '../../activities/storage/filesystem/log-store.ts';

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
export function handContext(log: BuildLog, workdir: string, signal: AbortSignal): StageContext {
  return { log, workdir, signal, heartbeat: () => {} };
}
