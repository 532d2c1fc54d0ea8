import type { Readable } from 'node:stream';
import type { BlobRef } from '../../pipelines/model/artifact.ts';
import type { ExtrasWish } from '../repository/extras.ts';
import type { PackageId, RepositoryFormat, RepositorySettings } from '../repository/port.ts';
import type { Judge } from '../repository/state.ts';

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

/** What the next state of a released repository has besides what the state before it has. */
export interface StateContent {
  readonly format: RepositoryFormat;
  /** Paths of packages, which are copied. */
  readonly files: readonly string[];
  /** What is not given stays as it is. */
  readonly settings: Partial<RepositorySettings>;
  readonly date: Date;
  /** Packages that it has no more; nothing is added then. Their files stay for clients that have read an older index. */
  readonly remove?: (one: PackageId) => boolean;
  /** Other advisories, groups and modules; nothing is added or removed then. */
  readonly extras?: ExtrasWish;
  readonly judge?: Judge;
}

/** A state of a released repository that is made and not shown yet. */
export interface StagedState {
  readonly repository: string;
  /** Its name while it waits: `staged-…`, unique for what is released. */
  readonly name: string;
  /** The generation that it stands on; null for the first. */
  readonly before: string | null;
}

/** Directories that are there while a call lasts: what makes repositories and looks at them wants files. */
export interface StateFiles {
  /** The state that is made. */
  readonly tree: string;
  /** The one before it: to read, and to link from. */
  readonly before: string | null;
}

/**
 * The one way in which released repositories change: a state is made beside the one shown, completed, and shown as a
 * whole if nothing came between. One writer at a time, whoever asks.
 */
export interface ReleasedWriter {
  /** Looks at the state that readers see; null while nothing was released. */
  look<T>(repository: string, work: (tree: string | null) => Promise<T>): Promise<T>;
  /**
   * Makes the next state; what was made under its name before is gone. Kept, however long it waits, once this ends.
   *
   * @param complete adds what is no package; what is left when it throws is made anew, or swept
   * @returns null when nothing would change; `notes`: what whoever releases should know
   * @throws RepositoryRefusal for packages that the repository cannot take
   */
  stage<T>(
    of: Omit<StagedState, 'before'>,
    content: StateContent,
    complete: (files: StateFiles) => Promise<T>,
  ): Promise<{ readonly before: string | null; readonly done: T; readonly notes: readonly string[] } | null>;
  /** Works on a state once more. @returns null when it is gone, or stands on what is no longer shown */
  amend<T>(of: StagedState, work: (files: StateFiles) => Promise<T>): Promise<T | null>;
  /**
   * Shows a state to everybody, at once, when the disk has it.
   *
   * @param inUse the generations that somebody works with: they stay
   * @returns false when it stands on what is no longer shown: stage again
   */
  show(of: StagedState, inUse: () => Promise<readonly string[]>): Promise<boolean>;
  /** Removes a state that was only looked at. */
  discard(of: Pick<StagedState, 'repository' | 'name'>): Promise<void>;
  /**
   * Removes states that were made and never shown.
   *
   * @param isWanted whether somebody will still show the one of that name; `touched` is in milliseconds
   * @returns how many they were, or would be
   */
  sweep(isWanted: (name: string, touched: number) => boolean, dryRun?: boolean): Promise<number>;
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
