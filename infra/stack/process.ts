import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackOff } from './back-off.ts';

/** A process of the stack. */
export interface ProcessSpec {
  /** For people, and for the name of its log. */
  readonly name: string;
  readonly command: readonly string[];
  /** Beside our own environment; a variable that is undefined is left out of it. */
  readonly env?: NodeJS.ProcessEnv;
  /** Ends once the process, started just now, does its work: one of ours says so by itself (`announceReady`). */
  readonly ready: 'announced' | (() => Promise<void>);
  /** Milliseconds that it may take to end when asked to. */
  readonly grace: number;
}

export interface Supervision {
  /** Directory of the logs. */
  readonly logs: string;
  /** Handed to every process as its descriptor 4. */
  readonly lock: number;
  readonly notice: (line: string) => void;
}

export interface Supervised {
  readonly name: string;
  /** Ends when it does its work for the first time; fails when it ends before that. */
  readonly ready: Promise<void>;
  /** The current process. */
  readonly pid: () => number | undefined;
  stop(): Promise<void>;
}

/** A process does not start as its configuration is wrong; the message says what and where. */
export class Misconfigured extends Error {}

/** Milliseconds that a process may take to do its work for the first time. */
const startLimit = 300_000;

/**
 * Starts a process and keeps it running: one that ends by itself is started again, later each time.
 *
 * A process that ends before it was ready for the first time is a fault of the set-up, and not started again.
 */
export function supervise(spec: ProcessSpec, supervision: Supervision): Supervised {
  const stopping = new AbortController();
  let child = launch(spec, supervision);
  const first = child;
  const late = sleep(startLimit, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
  const ready = Promise.race([untilReady(spec, first), Promise.race([first.ended, late]).then(failure)]);

  async function failure(): Promise<never> {
    const log = join(supervision.logs, `${spec.name}.log`);
    const words = lastWords(readFileSync(log, 'utf8'));
    if (words?.configuration === true) throw new Misconfigured(words.msg);
    throw new Error(`${spec.name} does not start: ${words === null ? '' : `${words.msg}\n`}see ${log}`);
  }

  async function keep(): Promise<void> {
    await ready;
    for (const backOff = new BackOff(); ; ) {
      const started = Date.now();
      const how = await child.ended;
      if (stopping.signal.aborted) return;
      const pause = backOff.next(Date.now() - started);
      supervision.notice(`${spec.name} ended (${how}): started again in ${pause / 1000} s`);
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      child = launch(spec, supervision);
    }
  }

  const kept = keep().catch(() => {});
  return {
    name: spec.name,
    ready,
    pid: () => child.process.pid,
    async stop() {
      stopping.abort();
      await end(child, spec.grace);
      await Promise.race([kept, child.ended]);
    },
  };
}

interface LastWords {
  readonly msg: string;
  readonly configuration?: boolean;
}

/** What a process has said of its end, as the last line of its log; null where that is something else. */
function lastWords(log: string): LastWords | null {
  try {
    const { level, ...words } = JSON.parse(log.trimEnd().split('\n').at(-1) ?? '');
    return level === 'fatal' && typeof words.msg === 'string' ? words : null;
  } catch {
    return null;
  }
}

interface Launched {
  readonly process: ChildProcess;
  /** Says how it ended. */
  readonly ended: Promise<string>;
}

/** Its own session keeps a Ctrl-C in the terminal from it: the supervisor ends its processes in order. */
function launch(spec: ProcessSpec, { logs, lock }: Supervision): Launched {
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${spec.name}.log`), 'a');
  const [program = '', ...args] = spec.command;
  const child = spawn(program, args, {
    detached: true,
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', log, log, 'ipc', lock],
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `status ${code}`));
  });
  return { process: child, ended };
}

function untilReady({ ready }: ProcessSpec, { process: child }: Launched): Promise<void> {
  if (ready !== 'announced') return ready();
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (message === 'ready') resolve();
    });
  });
}

async function end({ process: child, ended }: Launched, grace: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), grace);
  await ended;
  clearTimeout(timer);
}
