import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { access, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { BuildLog, LogStore } from '../../ports.ts';
import type { FileStorageOptions } from './blob-store.ts';
import { buildPattern, createLogReader, namePattern, partial } from './read-logs.ts';

export interface LogStorageOptions extends FileStorageOptions {
  /** Bytes after which a log is cut: a program that prints for ever must not fill the disk. */
  readonly limit?: number;
}

const usualLimit = 64 * 1024 * 1024;
/** Bytes that headings may take besides, also after the cut: the last one is the verdict. */
const headings = 256 * 1024;
const longestTitle = 2_000;

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
      const room = createRoom(options.limit ?? usualLimit);
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

/** The line that starts a section of a log, and the pattern that finds it again. */
export function sectionLine(title: string, time: Date): string {
  return `=== [${time.toISOString().slice(11, 19)}] ${title.replaceAll('\n', ' ')}\n`;
}
export const sectionPattern = /^=== \[(\d\d:\d\d:\d\d)\] (.*)$/;

function logPath(root: string, build: string, name: string): string {
  if (!buildPattern.test(build)) throw new Error(`not a build id: ${JSON.stringify(build)}`);
  if (!namePattern.test(name) || name.endsWith(partial)) throw new Error(`not a log name: ${JSON.stringify(name)}`);
  return join(root, 'logs', build, name);
}

/** What of a log is written: all of it up to a limit, and of the rest the headings. */
export interface LogRoom {
  text(part: string): string;
  heading(title: string): string;
}

/** @param limit in bytes; the setting behind it is named where the log is cut */
export function createRoom(limit: number): LogRoom {
  const left = { text: limit, headings };
  let atLineStart = true;
  const keep = (part: string) => {
    atLineStart = part.endsWith('\n');
    return part;
  };
  const cut = () =>
    keep(`\n${sectionLine(`Cut: a log may have ${limit} bytes (workers.log in sluice.yaml)`, new Date())}`);
  return {
    text: (part) => {
      if (part === '' || left.text < 0) return '';
      left.text -= Buffer.byteLength(part);
      return left.text < 0 ? cut() : keep(part);
    },
    heading: (title) => {
      const line = `${atLineStart ? '' : '\n'}${sectionLine(title.slice(0, longestTitle), new Date())}`;
      left.headings -= Buffer.byteLength(line);
      return left.headings < 0 ? '' : keep(line);
    },
  };
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
