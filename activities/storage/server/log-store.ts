import { setTimeout as sleep } from 'node:timers/promises';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { BuildLog, LogStore } from '../../ports.ts';
import { createRoom } from '../log-room.ts';
import { must, type ServerClient } from './client.ts';

export interface ServerLogOptions {
  readonly server: ServerClient;
  /** Where people reach the server, without a slash at the end. */
  readonly baseUrl: string;
  /** Bytes after which a log is cut. */
  readonly limit: number;
}

/** Bytes of one message, and milliseconds for which what is written is gathered. */
const most = 256 * 1024;
const pause = 300;

/** Logs that the server keeps, written from another machine: each part says where it belongs. */
export function createServerLogStore({ server, baseUrl, limit }: ServerLogOptions): Pick<LogStore, 'open'> {
  return {
    async open(build, name) {
      const path = `/api/worker/builds/${encodeURIComponent(build)}/logs/${encodeURIComponent(name)}`;
      const tell = (question: string, body?: Uint8Array<ArrayBuffer>) => {
        const headers = { 'content-type': 'application/octet-stream' };
        const part = body === undefined ? {} : { headers, body: () => ({ body }) };
        return must(
          server.ask(path + question, { method: 'POST', ...part }),
          () => new Error(`no log of ${build} is taken`),
        );
      };
      const { size } = (await (await tell('?do=begin')).json()) as { readonly size: number };
      const sender = new Sender(size, (position, bytes) => tell(`?do=write&position=${position}`, bytes));
      const room = createRoom(limit);
      const url = `${baseUrl}/api/builds/${build}/log?name=${encodeURIComponent(name)}`;
      const artifact: Artifact = { name, url, metadata: { type: 'log' } };
      return {
        write: (text) => sender.add(room.text(text)),
        section: (title) => sender.add(room.heading(title)),
        async close() {
          await sender.finish();
          await tell('?do=end');
          return artifact;
        },
      } satisfies BuildLog;
    },
  };
}

/** Sends what is added, in order and one part after the other; what could not be sent is told at the end. */
class Sender {
  #position: number;
  #waiting: Buffer[] = [];
  #running: Promise<void> | undefined;
  #failure: unknown;
  #finishing = new AbortController();
  readonly #send: (position: number, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>;

  constructor(position: number, send: (position: number, bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>) {
    this.#position = position;
    this.#send = send;
  }

  add(text: string): void {
    if (text === '' || this.#failure !== undefined) return;
    this.#waiting.push(Buffer.from(text));
    this.#running ??= this.#run();
  }

  async finish(): Promise<void> {
    this.#finishing.abort();
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    this.#finishing = new AbortController();
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await sleep(pause, undefined, { signal: this.#finishing.signal }).catch(() => {});
        const all = Buffer.concat(this.#waiting);
        const part = Uint8Array.from(all.subarray(0, most));
        this.#waiting = all.length > most ? [all.subarray(most)] : [];
        await this.#send(this.#position, part);
        this.#position += part.length;
      }
    } catch (error) {
      this.#failure = error;
      this.#waiting = [];
    } finally {
      this.#running = undefined;
    }
  }
}
