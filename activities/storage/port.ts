import type { Readable } from 'node:stream';
import type { BlobRef } from '../../pipelines/model/artifact.ts';

/** Content that was opened: as it was then, whatever becomes of its name. It is read once, or closed. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `start` to `end`, both included; without them all. Lets go of the file at its end. */
  read(range?: { readonly start: number; readonly end: number }): Readable;
  /** For what is not read after all. */
  close(): Promise<void>;
}

/** What came is not what it was said to be. */
export class OtherContent extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OtherContent';
  }
}

/** Takes content that is on its way from somewhere else. */
export interface BlobIntake {
  /** Stores it, whole or not at all. @throws OtherContent */
  take(stream: Readable, ref: BlobRef): Promise<void>;
}

/** Takes logs that are written somewhere else. What is written twice at one place is written once. */
export interface LogIntake {
  /** Begins a log, or goes on with it. @returns the bytes that it has */
  begin(of: LogName): Promise<number>;
  /** @throws OtherContent when bytes before it are missing, or it would be too long */
  write(of: LogName, part: { readonly position: number; readonly bytes: Uint8Array }): Promise<void>;
  /** It is complete, and kept once this ends. */
  end(of: LogName): Promise<void>;
}

export interface LogName {
  readonly build: string;
  /** The file's name, for example `build.log`. */
  readonly name: string;
}

/** A log of a build: complete, or still being written. */
export interface LogInfo {
  readonly name: string;
  readonly complete: boolean;
}

/** When following a log ends. */
export interface LogWatch {
  /** Whether nobody will write any more: the build has ended. A complete log may go on with another attempt. */
  readonly ended: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** The logs that builds have written, for everybody who shows them. Names from outside may be anything. */
export interface LogReader {
  /** In order of their names; none for a build that is not known. */
  list(build: string): Promise<readonly LogInfo[]>;
  /** What a log has now; null when there is no such log. `name` undefined: the first one. */
  find(build: string, name: string | undefined): Promise<StoredFile | null>;
  /** A log from its beginning, as it grows, until the watch ends; it need not be there yet. */
  follow(build: string, name: string | undefined, watch: LogWatch): AsyncIterable<Buffer>;
}

/** One state of a released repository. */
export interface GenerationName {
  /** The repository's name: its format. */
  readonly repository: string;
  readonly generation: string;
}

/**
 * Released repositories. What is shown changes as a whole, from one generation to the next; a generation never changes,
 * and is kept for as long as somebody works with it.
 */
export interface ReleasedTrees {
  /** The generation that readers see now; null while nothing was released. */
  current(repository: string): Promise<string | null>;
  has(of: GenerationName): Promise<boolean>;
  /** The paths of its regular files, sorted; none for one that is gone. */
  list(of: GenerationName): Promise<readonly string[]>;
  /** A regular file of it; null for everything else, and for paths that lead out of it. */
  open(of: GenerationName, path: string): Promise<StoredFile | null>;
  /** Writes a file of it to a new place, hard-linked where the storage allows. @throws EEXIST where something is there */
  fetch(of: GenerationName, path: string, to: string): Promise<void>;
  /** Where containers find it; without a generation, whatever is shown. No slash at the end. */
  url(repository: string, generation?: string): Promise<string>;
}

/** Directories that never change once they are there, each under a name: test repositories. */
export interface Trees {
  /**
   * Shows what is in a directory, for everybody to read; there whole or not at all, and kept once this ends. The
   * directory is used up. Where there is a tree of that name, that one stays.
   */
  publish(name: string, directory: string): Promise<void>;
  has(name: string): Promise<boolean>;
  /** Harmless when it is gone. */
  remove(name: string): Promise<void>;
  /** The names of all trees, sorted. */
  list(): Promise<readonly string[]>;
  /** Where containers and people find it, with a slash at the end. */
  url(name: string): Promise<string>;
  /** The paths of its regular files, sorted; null where there is no such tree. */
  paths(name: string): Promise<readonly string[] | null>;
  /** A regular file of a tree; null for everything else, and for paths that lead out of it. */
  open(name: string, path: string): Promise<StoredFile | null>;
}
