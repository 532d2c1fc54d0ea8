import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { quoted } from './quoted.ts';
import { killGroup, mostOutput, spawnGroup } from './start.ts';
import { timed } from './timing.ts';

/** What came of a script. */
export interface ScriptResult {
  /** What it printed, as far as that came; null where no shell answered. */
  readonly text: string | null;
  /** The exit code of a shell that has ended over it; null where it waits for the next script. */
  readonly code: number | null;
  readonly timedOut: boolean;
}

export interface ScriptOptions {
  /** Milliseconds without a word until the shell is killed. */
  readonly silence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The script that is run. */
interface Running {
  /** What the shell prints ahead of all that the script does, and what after it. */
  readonly begin: string;
  readonly end: string;
  readonly printed: string[];
  size: number;
  readonly timer: NodeJS.Timeout | undefined;
  resolve(result: ScriptResult): void;
  reject(error: unknown): void;
}

/**
 * A POSIX `sh`, here or behind a connection, that runs one script after another: most take less time than to start a
 * program does. The kernel kills it when we end; while it waits it keeps nobody from ending.
 */
export class ShellSession {
  /** Whether it has run a script: it is a shell. */
  answered = false;
  readonly #program: string;
  readonly #process: ChildProcessWithoutNullStreams;
  #running: Running | null = null;
  /** Whether it takes no more scripts. */
  #ended = false;
  #timedOut = false;
  /** Why it was killed, where that is for its script to throw. */
  #fault: unknown = null;

  constructor(program: string, args: readonly string[]) {
    this.#program = program;
    this.#process = spawnGroup(program, args, { endsWithUs: true });
    const { stdin, stdout, stderr } = this.#process;
    // One that ends without reading its input is judged by its exit code.
    stdin.on('error', () => {});
    stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    stderr.on('data', () => this.#running?.timer?.refresh());
    this.#process.on('error', (error) => this.#kill(error));
    this.#process.on('close', (code) => this.#close(code ?? 137));
    this.#hold(false);
  }

  /** Whether it waits for a script. */
  get free(): boolean {
    return !this.#ended && this.#running === null;
  }

  /**
   * Runs a script, if it is free.
   *
   * @param script the body of a function, which ends with `return`. It has no input; directory and umask are those that
   *   the one before has left.
   * @param args its `$1`, `$2`, …
   * @throws the signal's reason on abort; the system's error when the program cannot be started; an error when it prints
   *   more than 256 MiB, by which it is ended.
   */
  async run(script: string, args: readonly string[], { silence, signal }: ScriptOptions = {}): Promise<ScriptResult> {
    signal?.throwIfAborted();
    const abort = () => this.#kill(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    const timer = silence === undefined ? undefined : setTimeout(() => this.#expire(), silence / 2);
    this.#hold(true);
    try {
      return await timed(this.#program, () => this.#run(script, args, timer));
    } finally {
      signal?.removeEventListener('abort', abort);
      clearTimeout(timer);
      // The next script may be under way.
      this.#hold(this.#running !== null);
    }
  }

  /** Ends it, whatever it does. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#kill();
    await closed;
  }

  #run(script: string, args: readonly string[], timer: NodeJS.Timeout | undefined): Promise<ScriptResult> {
    const [one, two] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    return new Promise((resolve, reject) => {
      this.#running = { begin: one + two, end: two + one, printed: [], size: 0, timer, resolve, reject };
      // What only repeats its input prints no mark.
      const [begin, end] = [`printf %s%s ${one} ${two}`, `printf %s%s ${two} ${one}`];
      this.#process.stdin.write(`${begin}\nrun() {\n${script}\n}\nrun ${quoted(args)} </dev/null\n${end}\n`);
    });
  }

  #take(text: string): void {
    const running = this.#running;
    if (running === null) return;
    running.timer?.refresh();
    running.printed.push(text);
    running.size += text.length;
    if (running.size > mostOutput) {
      this.#kill(new Error(`${this.#program} printed more than ${mostOutput} characters, which is the limit`));
    } else if (endOf(running.printed, running.end.length) === running.end) {
      this.#running = null;
      const answer = answerOf(running);
      this.answered = answer !== null;
      // Something else speaks as well.
      if (answer === null) this.#kill();
      running.resolve({ text: answer, code: null, timedOut: false });
    }
  }

  /** Ends its input after half the time: what is no shell may wait for that. */
  #expire(): void {
    if (this.#ended) {
      this.#timedOut = true;
      this.#kill();
    } else {
      this.#ended = true;
      this.#process.stdin.end();
      this.#running?.timer?.refresh();
    }
  }

  #kill(fault: unknown = null): void {
    this.#ended = true;
    this.#fault ??= fault;
    killGroup(this.#process.pid);
  }

  #close(code: number): void {
    this.#ended = true;
    const running = this.#running;
    this.#running = null;
    if (this.#fault !== null) running?.reject(this.#fault);
    else running?.resolve({ text: answerOf(running), code, timedOut: this.#timedOut });
  }

  /** Whether we wait for it. */
  #hold(waiting: boolean): void {
    const { stdin, stdout, stderr } = this.#process;
    const streams = [stdin, stdout, stderr] as unknown as { ref(): void; unref(): void }[];
    for (const one of [this.#process, ...streams]) waiting ? one.ref() : one.unref();
  }
}

/** The last characters of what came in pieces. */
function endOf(parts: readonly string[], length: number): string {
  let text = '';
  for (let at = parts.length - 1; at >= 0 && text.length < length; at -= 1) text = `${parts[at]}${text}`;
  return text.slice(-length);
}

/** What was printed between the marks, or behind the first where the second did not come; null without the first. */
function answerOf({ begin, end, printed }: Running): string | null {
  const text = printed.join('');
  if (!text.startsWith(begin)) return null;
  return text.endsWith(end) ? text.slice(begin.length, -end.length) : text.slice(begin.length);
}
