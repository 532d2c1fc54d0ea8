import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { gitEnvironment } from './git.ts';

/** One object as `cat-file --batch` gives it, each byte one character; null when there is none. */
export type RawObject = { readonly id: string; readonly type: string; readonly content: string } | null;

/** Milliseconds without a question after which a repository's process ends. */
const idle = 10_000;

const readers = new Map<string, ObjectReader>();

/** The long-lived `cat-file` of a repository: starting a process for each question costs more than the answer. */
export function objectReader(repo: string): ObjectReader {
  const known = readers.get(repo);
  if (known !== undefined && !known.ended) return known;
  const reader = new ObjectReader(repo);
  readers.set(repo, reader);
  return reader;
}

interface Question {
  readonly resolve: (object: RawObject) => void;
  readonly reject: (error: Error) => void;
}

/** Asks one process for objects; answers come in the order of the questions. */
export class ObjectReader {
  ended = false;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #timer: NodeJS.Timeout;
  readonly #open: Question[] = [];
  #unread: Buffer = Buffer.alloc(0);

  constructor(repo: string) {
    this.#process = spawn('git', [`--git-dir=${repo}`, 'cat-file', '--batch'], {
      env: { ...process.env, ...gitEnvironment },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#timer = setTimeout(() => this.#end(new Error('idle')), idle);
    this.#process.on('error', (error) => this.#end(error));
    this.#process.on('exit', (code) => this.#end(new Error(`git cat-file in ${repo} ended with ${code}`)));
    this.#process.stdin.on('error', (error) => this.#end(error));
    this.#process.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#hold(false);
  }

  /** @param name an object id or a full ref: without spaces and line ends. */
  read(name: string): Promise<RawObject> {
    this.#timer.refresh();
    this.#hold(true);
    return new Promise((resolve, reject) => {
      this.#open.push({ resolve, reject });
      this.#process.stdin.write(`${name}\n`);
    });
  }

  #take(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (let answer = this.#next(); answer !== undefined; answer = this.#next()) this.#open.shift()?.resolve(answer);
    this.#hold(this.#open.length > 0);
  }

  /** The next whole answer; undefined until it is there. */
  #next(): RawObject | undefined {
    const end = this.#unread.indexOf('\n');
    if (end < 0) return undefined;
    const header = this.#unread.toString('latin1', 0, end);
    const [, id, type, size] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header) ?? [];
    if (id === undefined || type === undefined) {
      this.#unread = this.#unread.subarray(end + 1);
      return null;
    }
    const stop = end + 1 + Number(size);
    if (this.#unread.length <= stop) return undefined;
    const content = this.#unread.toString('latin1', end + 1, stop);
    this.#unread = this.#unread.subarray(stop + 1);
    return { id, type, content };
  }

  /** Whether this process waits for an answer: an idle reader keeps nobody from ending. */
  #hold(waiting: boolean): void {
    const streams = [this.#process.stdin, this.#process.stdout] as unknown as { ref(): void; unref(): void }[];
    for (const one of [this.#process, this.#timer, ...streams]) waiting ? one.ref() : one.unref();
  }

  #end(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.#timer);
    this.#process.stdin.destroy();
    for (const question of this.#open.splice(0)) question.reject(error);
  }
}
