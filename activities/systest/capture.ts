import { join } from 'node:path';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { Capture } from '../nodes/capture.ts';
import type { BlobStore, StageContext } from '../ports.ts';
import type { Laboratory } from './laboratory.ts';

/** Bytes of a capture at most. */
const captureLimit = 64 * 1024 * 1024;

const name = 'network.pcap';

type Around = Pick<StageContext, 'workdir' | 'log' | 'lease'>;

/**
 * What the nodes of one test send each other, where that is to be kept. What cannot be had is missing, and the log says
 * why: nothing of it is part of the verdict.
 */
export class NetworkCapture {
  readonly #store: Pick<BlobStore, 'put' | 'url'>;
  readonly #context: Around;
  readonly #limit: number;
  #capture: Capture | null = null;

  constructor(store: Pick<BlobStore, 'put' | 'url'>, context: Around, limit = captureLimit) {
    this.#store = store;
    this.#context = context;
    this.#limit = limit;
  }

  /** The same laboratory, of which it is begun once the nodes are in a network of their own. */
  listenIn(laboratory: Laboratory): Laboratory {
    return {
      ...laboratory,
      closeDoors: async () => {
        await laboratory.closeDoors();
        await this.#begin();
      },
    };
  }

  async #begin(): Promise<void> {
    const { lease } = this.#context;
    try {
      this.#capture = (await lease.capture?.({ path: this.#path, limit: this.#limit })) ?? null;
      if (this.#capture === null) this.#tell('their network is not one that Sluice has made');
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Ends it, and keeps what there is. */
  async end(): Promise<readonly Artifact[]> {
    if (this.#capture === null) return [];
    try {
      const { cut, lost } = await this.#capture.end();
      const { digest } = await this.#store.put({ path: this.#path });
      const { log } = this.#context;
      if (cut) log.write(`${name} is not whole: ${lost ?? `it ends at ${this.#limit / 2 ** 20} MiB`}\n`);
      return [{ name, url: this.#store.url(digest, name), ...(cut && { metadata: { cut } }) }];
    } catch (error) {
      this.#tell(error);
      return [];
    } finally {
      this.#capture = null;
    }
  }

  /** The same of a test without a verdict, which has no artifacts: the log says where it is. */
  async endWithout(): Promise<void> {
    for (const { url } of await this.end()) this.#context.log.write(`${name}: ${url}\n`);
  }

  get #path(): string {
    return join(this.#context.workdir, name);
  }

  #tell(reason: unknown): void {
    const why = reason instanceof Error ? reason.message : reason;
    this.#context.log.write(`what the nodes send each other is not kept: ${why}\n`);
  }
}
