import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { RunOptions, RunResult } from './start.ts';

/** What a program can be started with by another process than this one. */
type PlainOptions = Pick<RunOptions, 'cwd' | 'env' | 'input' | 'limit' | 'timeout' | 'encoding'>;

/** What is said to the helper: to start a program, or to end one that it has started. */
export type HelperQuestion =
  | { readonly id: number; readonly program: string; readonly args: readonly string[]; readonly options: PlainOptions }
  | { readonly id: number; readonly abort: true };

export type HelperAnswer =
  | { readonly id: number; readonly result: RunResult }
  | { readonly id: number; readonly error: { readonly message: string } & Readonly<Record<string, unknown>> };

interface Waiting {
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A process that starts programs for this one, and what it was asked that is not answered. */
class Helper {
  ended = false;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'helper-process.ts'), [], {
      // Whoever stops us at a terminal does not stop it: we may have something to do yet.
      detached: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (answer: HelperAnswer) => this.#hear(answer));
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', () => this.#end(new Error('the process that starts programs has ended')));
    this.#hold(false);
  }

  start(program: string, args: readonly string[], { signal, ...options }: RunOptions): Promise<RunResult> {
    const id = ++this.#last;
    const abort = () => this.#say({ id, abort: true });
    signal?.addEventListener('abort', abort, { once: true });
    const answered = new Promise<RunResult>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#hold(true);
      this.#say({ id, program, args, options: { cwd: process.cwd(), ...options } });
    });
    return answered
      .catch((error) => {
        throw signal?.aborted ? signal.reason : error;
      })
      .finally(() => signal?.removeEventListener('abort', abort));
  }

  stop(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  #say(question: HelperQuestion): void {
    this.#process.send(question, (error) => {
      if (error !== null) this.#end(error);
    });
  }

  #hear(answer: HelperAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    this.#hold(this.#waiting.size > 0);
    if ('result' in answer) waiting?.resolve(answer.result);
    else waiting?.reject(Object.assign(new Error(answer.error.message), answer.error));
  }

  /** Whether it keeps us from ending: only while something is to be answered. */
  #hold(waiting: boolean): void {
    for (const one of [this.#process, this.#process.channel]) waiting ? one?.ref() : one?.unref();
  }

  #end(error: Error): void {
    this.ended = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

let helper: Helper | null = null;

/**
 * Has programs started by a small process from here on: to start one, the system copies the tables of all memory that
 * the starting process has, and Node does nothing else until the program runs. In a process of 300 MB on a busy machine
 * that is 100 ms, and a seventh of that for a helper, in which we go on.
 *
 * @returns ends it; programs that run then go on
 */
export function keepHelper(): () => void {
  helper ??= new Helper();
  return () => {
    helper?.stop();
    helper = null;
  };
}

/** The helper for a program with these options; null for one that we start ourselves. */
export function helperFor({ onOutput, silence, uid, endsWithUs }: RunOptions): Helper | null {
  if (helper === null || onOutput !== undefined || silence !== undefined || uid !== undefined || endsWithUs)
    return null;
  if (helper.ended) helper = new Helper();
  return helper;
}
