/** The part of tar-stream 2 that `unpack.ts` uses: the library comes without types. */
declare module 'tar-stream' {
  import type { Readable, Writable } from 'node:stream';

  export interface Headers {
    readonly name: string;
    /** Null for a kind that the library does not know. */
    readonly type: string | null;
    readonly size: number;
    readonly mode: number;
  }

  export interface Extract extends Writable {
    on(event: 'entry', listener: (headers: Headers, content: Readable, next: (error?: unknown) => void) => void): this;
    on(event: string, listener: (...args: unknown[]) => void): this;
  }

  export interface Pack extends Readable {
    entry(headers: Partial<Headers> & { readonly linkname?: string }, content?: string | Uint8Array): Writable;
    finalize(): void;
  }

  export function extract(): Extract;
  export function pack(): Pack;
}
