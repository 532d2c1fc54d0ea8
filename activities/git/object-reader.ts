import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { gitEnvironment } from './git.ts';

/** One object as `cat-file --batch` gives it, each byte one character; null when there is none. */
export type RawObject = { readonly id: string; readonly type: string; readonly content: string } | null;

/** Milliseconds without a question after which a repository's process ends. */
const idle = 10_000;

/** Bytes of an object: what is packed into nothing may unpack to more than there is memory. */
const largest = 64 * 1024 * 1024;

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
  /** What was read and not answered yet, in pieces; how much that is, and how much the next answer takes. */
  #chunks: Buffer[] = [];
  #held = 0;
  #wanted = 0;
  /** Bytes that are still to come of an object that is too large. */
  #skip = 0;

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
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    this.#chunks.push(chunk.subarray(skipped));
    this.#held += chunk.length - skipped;
    // Joined once for each answer: a large one comes in thousands of pieces.
    if (this.#held < this.#wanted) return;
    let unread = Buffer.concat(this.#chunks);
    for (let next = this.#answer(unread); next !== undefined; next = this.#answer(unread))
      unread = unread.subarray(next);
    this.#chunks = [unread];
    this.#held = unread.length;
    this.#hold(this.#open.length > 0);
  }

  /** Answers a question. @returns where the next answer begins; undefined until this one is whole */
  #answer(unread: Buffer): number | undefined {
    const end = unread.indexOf('\n');
    const header = unread.toString('latin1', 0, end);
    const [, id, type, size = ''] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header) ?? [];
    const stop = end + 1 + Number(size);
    const large = Number(size) > largest;
    this.#wanted = end < 0 || large ? 0 : stop + 1;
    if (end < 0 || (!large && id !== undefined && unread.length <= stop)) return undefined;
    const question = this.#open.shift();
    if (id === undefined || type === undefined) {
      question?.resolve(null);
      return end + 1;
    }
    if (large) {
      question?.reject(new Error(`object ${id} has ${size} bytes: more than ${largest} are not read into memory`));
      this.#skip = Math.max(0, stop + 1 - unread.length);
      return Math.min(unread.length, stop + 1);
    }
    question?.resolve({ id, type, content: unread.toString('latin1', end + 1, stop) });
    return stop + 1;
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
