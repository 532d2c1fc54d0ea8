import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { baseEnvironment } from '../process/run.ts';
import { timed } from '../process/timing.ts';
import { gitEnvironment } from './git.ts';

/** How a transaction ended: git's exit code and what it said against it. */
export interface RefAnswer {
  readonly code: number;
  readonly stderr: string;
}

/** Milliseconds without a transaction after which a repository's process ends. */
const idle = 10_000;

const writers = new Map<string, RefWriter>();
/** Repository to the end of its last transaction: they follow each other. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Carries out commands of `git update-ref --stdin`, all or none, by a process that lives on: starting one for each
 * transaction blocks the whole server for longer than the transaction takes.
 */
export function writeRefs(repo: string, commands: readonly string[]): Promise<RefAnswer> {
  const turn = (turns.get(repo) ?? Promise.resolve()).then(() => timed('git', () => writer(repo).transact(commands)));
  turns.set(
    repo,
    turn.catch(() => {}),
  );
  return turn;
}

function writer(repo: string): RefWriter {
  const known = writers.get(repo);
  if (known !== undefined && !known.ended) return known;
  const made = new RefWriter(repo);
  writers.set(repo, made);
  return made;
}

/** One `git update-ref`, for one transaction after the other; a transaction that fails is its last. */
class RefWriter {
  ended = false;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #timer: NodeJS.Timeout;
  #open: { readonly resolve: (answer: RefAnswer) => void; readonly reject: (error: Error) => void } | undefined;
  #said = '';
  #stderr = '';

  constructor(repo: string) {
    // A process group of its own: what ends the server from a terminal leaves a transaction alone.
    this.#process = spawn('git', [`--git-dir=${repo}`, 'update-ref', '--stdin'], {
      env: { ...baseEnvironment(), ...gitEnvironment },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.#process;
    this.#timer = setTimeout(() => this.#end(), idle);
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', () => {
      this.ended = true;
    });
    // Without the word that it is committed, a transaction has failed, whatever the exit code.
    this.#process.on('close', (code) => this.#close({ code: code || 137, stderr: this.#stderr }));
    // A process that ends early is judged by its exit code.
    stdin.on('error', () => {});
    stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#hold(false);
  }

  transact(commands: readonly string[]): Promise<RefAnswer> {
    this.#timer.refresh();
    this.#hold(true);
    return new Promise((resolve, reject) => {
      this.#open = { resolve, reject };
      this.#process.stdin.write(['start', ...commands, 'prepare', 'commit', ''].join('\n'));
    });
  }

  #take(text: string): void {
    this.#said += text;
    if (!this.#said.endsWith('commit: ok\n')) return;
    this.#said = '';
    this.#hold(false);
    this.#open?.resolve({ code: 0, stderr: '' });
    this.#open = undefined;
  }

  #close(answer: RefAnswer): void {
    this.#open?.resolve(answer);
    this.#open = undefined;
    this.#end();
  }

  #end(error?: Error): void {
    this.ended = true;
    clearTimeout(this.#timer);
    this.#process.stdin.end();
    if (error !== undefined) this.#open?.reject(error);
  }

  /** Whether this process waits for an answer: an idle writer keeps nobody from ending. */
  #hold(waiting: boolean): void {
    const { stdin, stdout, stderr } = this.#process;
    const streams = [stdin, stdout, stderr] as unknown as { ref(): void; unref(): void }[];
    for (const one of [this.#process, this.#timer, ...streams]) waiting ? one.ref() : one.unref();
  }
}
