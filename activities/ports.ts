import type { Readable } from 'node:stream';
import type { BlobRef } from '../pipelines/model/artifact.ts';
import type { Artifact } from '../pipelines/model/job.ts';
import type { StageInput, StageResult } from '../workflows/contract.ts';
import type { Lease } from './nodes/port.ts';
import type { LogReader, StoredFile } from './storage/port.ts';

/** A file whose content is stored. */
export interface FileContent {
  readonly path: string;
  /** How many bytes it must have; absent: what it has when it is opened. */
  readonly size?: number;
}

/** Content-addressed artifact storage. Putting the same content twice stores it once. */
export interface BlobStore {
  /**
   * Stores bytes, text or a file's content (`{path}`); nothing half-written is ever visible.
   *
   * @throws for a path that is no regular file (a link is none), that changes meanwhile, or has not `size` bytes.
   */
  put(content: Uint8Array | string | FileContent): Promise<BlobRef>;
  /** @throws when there is no such content. */
  open(digest: string): Promise<Readable>;
  /** For whoever shows it, whole or in parts; null when there is no such content. */
  find(digest: string): Promise<StoredFile | null>;
  read(digest: string): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
  /** Writes the content to a new file, hard-linked where the storage allows. */
  fetch(digest: string, path: string): Promise<void>;
  /** The URL under which the server offers the content as a file called `name`. */
  url(digest: string, name: string): string;
}

/** The log of one build, streamed while it is written and kept afterwards. */
export interface BuildLog {
  write(text: string): void;
  /** A heading that the page and `sluice logs` show as a section. */
  section(title: string): void;
  /** Flushes, moves the log to storage; answers with its artifact. */
  close(): Promise<Artifact>;
}

export interface LogStore extends LogReader {
  /** `name` is the file's name, for example `build.log`. */
  open(build: string, name: string): Promise<BuildLog>;
}

/** What a stage gets besides its input: nothing in it outlives the stage but what it stored. */
export interface StageContext {
  /** Aborted when nobody wants the result any more, and when the job's time is up. */
  readonly signal: AbortSignal;
  /** Aborted in the first case alone: for the little that is still done when the time is up. */
  readonly cancellation: AbortSignal;
  readonly log: BuildLog;
  /** Where the stage's machines come from; released afterwards, unless the stage pauses. */
  readonly lease: Lease;
  /** An empty directory, removed afterwards. */
  readonly workdir: string;
  /** Says that the stage is alive; `progress` is shown to users. */
  heartbeat(progress: string): void;
}

/**
 * One package stage. A verdict on the package is a result; an exception is a fault of the infrastructure and is
 * retried. Running it again with the same input is harmless.
 */
export type StageRunner = (input: StageInput, context: StageContext) => Promise<StageResult>;
