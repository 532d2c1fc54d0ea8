import { setTimeout as sleep } from 'node:timers/promises';
import type { SFTPWrapper } from 'ssh2';
import type { SftpUrl } from '../../../pipelines/mirror/url.ts';
import { unconnected } from '../ssh-options.ts';
import type { TransportOptions } from '../transport.ts';
import { MirrorError, type MirrorHostConfig } from '../types.ts';
import { type Connection, connect } from './connection.ts';

/** One request: it is made of a session, and `done` is called with what comes of it. */
export type Request<T> = (sftp: SFTPWrapper, done: (error?: Error | null, value?: T) => void) => void;

/** Requests to one host, over one connection that is made with the first. */
export interface SftpSession {
  /**
   * @param about the path, for the error
   * @throws MirrorError `sftp:N` with the server's status, `ssh:255` when the connection is lost, `timeout` when the
   *   host is silent
   */
  ask<T>(about: string, request: Request<T>): Promise<T>;
  /** The same over the connection as it is now and over no other: what is open belongs to one. */
  held(): Promise<SftpSession['ask']>;
  /** Whether files can be linked to each other there. */
  canLink(): Promise<boolean>;
  /** Waits as long as what is moved needs at the set's bandwidth. */
  pace(bytes: number): Promise<void>;
  /** Does something, and again where the connection was lost: in all twice more. */
  again<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the connection. */
  close(): Promise<void>;
}

const retries = 2;
/** Milliseconds before a retry. */
const pause = 1_000;

export function openSession(url: SftpUrl, config: MirrorHostConfig, options: TransportOptions): SftpSession {
  let current: Promise<Connection> | null = null;
  const watch = createWatch(options.timeout);
  const drop = async () => {
    const [connection] = await Promise.allSettled([current]);
    current = null;
    watch.stop();
    if (connection.status === 'fulfilled') connection.value?.end();
  };
  const connection = async () => {
    // A host that was silent is not asked again: its time is spent.
    if (watch.silent !== null) throw watch.silent;
    options.signal?.throwIfAborted();
    current ??= connect(url, config, options);
    const made = await current.catch((error: MirrorError) => {
      if (error.code === 'timeout') watch.silent = error;
      throw error;
    });
    watch.start(made);
    return made;
  };
  const over =
    (made: Connection): SftpSession['ask'] =>
    (about, request) =>
      watch.over(ask(made, request)).catch((error) => {
        throw watch.silent ?? faultOf(about, error);
      });
  /** One that another operation has made meanwhile stays. */
  const dropLost = async () => {
    const [connection] = await Promise.allSettled([current]);
    if (connection.status === 'rejected' || !connection.value?.isOpen()) await drop();
  };
  return {
    ask: async (about, request) => over(await connection())(about, request),
    held: async () => over(await connection()),
    canLink: async () => (await connection()).links,
    pace: createPace(options.bandwidth),
    again: async (work) => {
      for (let tries = 0; ; tries += 1) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof MirrorError) || error.code !== unconnected || tries === retries) throw error;
          await dropLost();
          await sleep(pause, undefined, options.signal ? { signal: options.signal } : {});
        }
      }
    },
    close: drop,
  };
}

function ask<T>({ sftp, isOpen }: Connection, request: Request<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // One that was closed takes requests, and never answers.
    if (!isOpen()) return reject(new Error('the connection was closed'));
    request(sftp, (error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

/** Tells a host that is silent: where something is waited for and nothing at all comes. */
function createWatch(seconds: number) {
  let [waiting, heard] = [0, 0];
  let timer: NodeJS.Timeout | undefined;
  const watch = {
    silent: null as MirrorError | null,
    start: ({ end }: Connection) => {
      timer ??= setInterval(() => {
        if (waiting === 0 || performance.now() - heard < seconds * 1_000) return;
        watch.silent ??= new MirrorError('timeout', 'the host took a question and said nothing more');
        end();
      }, 100);
    },
    over: async <T>(answer: Promise<T>): Promise<T> => {
      if (waiting === 0) heard = performance.now();
      waiting += 1;
      try {
        return await answer;
      } finally {
        waiting -= 1;
        heard = performance.now();
      }
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
  return watch;
}

function createPace(bandwidth: number | undefined): SftpSession['pace'] {
  let free = 0;
  return async (bytes) => {
    if (bandwidth === undefined) return;
    const now = performance.now();
    free = Math.max(now, free) + (bytes / bandwidth) * 1_000;
    await sleep(free - now);
  };
}

const words: Readonly<Record<number, string>> = {
  2: 'No such file or directory',
  3: 'Permission denied',
  4: 'the server refuses, and does not say why',
  8: 'the server cannot do that',
};

function faultOf(about: string, error: Error & { readonly code?: unknown }): MirrorError {
  const { code } = error;
  if (typeof code !== 'number') return new MirrorError(unconnected, error.message);
  return new MirrorError(`sftp:${code}`, `${about}: ${words[code] ?? error.message}`);
}

/** Whether a request failed because nothing is there. */
export function isMissing(error: unknown): boolean {
  return error instanceof MirrorError && error.code === 'sftp:2';
}

/** Whether a server has answered with a refusal: the connection stands. */
export function isRefusal(error: unknown): error is MirrorError {
  return error instanceof MirrorError && error.code.startsWith('sftp:');
}
