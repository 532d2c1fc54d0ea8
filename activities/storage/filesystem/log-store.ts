import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { access, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { BuildLog, LogStore } from '../../ports.ts';
import type { FileStorageOptions } from './blob-store.ts';
import { buildPattern, createLogReader, namePattern, partial } from './read-logs.ts';

/** Bytes after which a log is cut: a program that prints for ever must not fill the disk. */
const limit = 256 * 1024 * 1024;

/**
 * Logs in a directory: `logs/BUILD/NAME.part` while it is written, renamed to `logs/BUILD/NAME` when it is closed.
 * A second attempt at a log continues it.
 */
export function createFileLogStore(options: FileStorageOptions): LogStore {
  return {
    ...createLogReader(options.root),
    open: async (build, name) => {
      const path = logPath(options.root, build, name);
      await mkdir(join(path, '..'), { recursive: true });
      await rename(path, path + partial).catch(ignoreMissing);
      const stream = createWriteStream(path + partial, { flags: 'a', flush: true });
      await once(stream, 'open');
      return createBuildLog(stream, path, {
        name,
        url: `${options.baseUrl}/api/builds/${build}/log?name=${encodeURIComponent(name)}`,
        metadata: { type: 'log' },
      });
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

function createBuildLog(stream: WriteStream, path: string, artifact: Artifact): BuildLog {
  let written = 0;
  let atLineStart = true;
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  const write = (text: string) => {
    if (text === '' || failure || written > limit) return;
    written += Buffer.byteLength(text);
    atLineStart = text.endsWith('\n');
    stream.write(written > limit ? `\n${sectionLine(`Cut after ${limit} bytes`, new Date())}` : text);
  };
  return {
    write,
    section: (title) => write(`${atLineStart ? '' : '\n'}${sectionLine(title, new Date())}`),
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
