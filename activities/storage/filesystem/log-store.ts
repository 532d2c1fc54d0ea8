import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { access, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { BuildLog, LogStore } from '../../ports.ts';
import { createRoom, type LogRoom } from '../log-room.ts';
import type { FileStorageOptions } from './blob-store.ts';
import { buildPattern, createLogReader, namePattern, partial } from './read-logs.ts';

export interface LogStorageOptions extends FileStorageOptions {
  /** Bytes after which a log is cut: a program that prints for ever must not fill the disk. */
  readonly limit?: number | undefined;
}

/**
 * Logs in a directory: `logs/BUILD/NAME.part` while it is written, renamed to `logs/BUILD/NAME` when it is closed.
 * A second attempt at a log continues it.
 */
export function createFileLogStore(options: LogStorageOptions): LogStore {
  return {
    ...createLogReader(options.root),
    open: async (build, name) => {
      const path = logPath(options.root, build, name);
      await mkdir(join(path, '..'), { recursive: true });
      await rename(path, path + partial).catch(ignoreMissing);
      const stream = createWriteStream(path + partial, { flags: 'a', flush: true });
      await once(stream, 'open');
      const room = createRoom(options.limit);
      return createBuildLog(
        { stream, path, room },
        {
          name,
          url: `${options.baseUrl}/api/builds/${build}/log?name=${encodeURIComponent(name)}`,
          metadata: { type: 'log' },
        },
      );
    },
  };
}

/** Where a log is when it is complete. @throws for what is no log's name */
export function logPath(root: string, build: string, name: string): string {
  if (!buildPattern.test(build)) throw new Error(`not a build id: ${JSON.stringify(build)}`);
  if (!namePattern.test(name) || name.endsWith(partial)) throw new Error(`not a log name: ${JSON.stringify(name)}`);
  return join(root, 'logs', build, name);
}

interface OpenLog {
  readonly stream: WriteStream;
  readonly path: string;
  readonly room: LogRoom;
}

function createBuildLog({ stream, path, room }: OpenLog, artifact: Artifact): BuildLog {
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  const write = (text: string) => {
    if (text !== '' && failure === undefined) stream.write(text);
  };
  return {
    write: (text) => write(room.text(text)),
    section: (title) => write(room.heading(title)),
    close: async () => {
      await new Promise<void>((resolve) => {
        stream.once('close', resolve);
        stream.end();
      });
      if (failure) throw failure;
      if (!(await isThere(path))) await rename(path + partial, path);
      return artifact;
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
