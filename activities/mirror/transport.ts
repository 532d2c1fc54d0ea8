import type { ListedEntry } from '../../pipelines/mirror/listing.ts';
import type { CopyPlan, Manifest } from '../../pipelines/mirror/manifest.ts';
import type { MirrorUrl } from '../../pipelines/mirror/url.ts';

/**
 * What is done on one mirror, by whatever means it offers. Paths are below its root, an empty one is the root itself.
 * Every operation can be repeated, and fails with a MirrorError after the retries that its failure deserves.
 */
export interface Transport {
  readonly kind: MirrorUrl['kind'];
  /** A place on the mirror as people are told it. */
  at(path: string): string;
  /** What is to be known of the way to the root, where links on it must be followed from here; null where not so. */
  readonly above: Above | null;
  /** For what is faster there than from here; null where there is none. */
  readonly shell: Shell | null;
  /** A directory of the mirror as its own system names it; for the shell. */
  directory(path: string): string;
  /** Everything below a directory. @param closed a directory whose own are listed and not entered */
  list(directory: string, closed?: string): Promise<Listing>;
  /** Small files of the mirror by path, links followed; those that are not there or cannot be read are left out. */
  readTexts(paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Puts small files and links in place, each by one rename.
   *
   * @param existing `kept`: what stands there already stays, and nobody else can have put it there meanwhile unnoticed
   */
  place(entries: SmallEntries, existing?: 'replaced' | 'kept'): Promise<void>;
  /** Makes a directory and those on the way, the root as well, and leaves alone what is there. */
  makeDirectory(path: string): Promise<void>;
  /** Removes entries from a directory, whole trees as well; what is not there is no error. */
  remove(directory: string, paths: readonly string[]): Promise<void>;
  /** Makes a directory of the mirror what a tree here is; what did not change is linked to other directories there. */
  send(tree: string, place: string, sending: Sending): Promise<Transferred>;
  /**
   * Makes a new directory as a copy of one beside it, and sends what differs. What came of it must be looked at.
   *
   * @returns null where the host cannot copy, and nothing was sent
   */
  sendOver(tree: string, place: string, plan: CopyPlan): Promise<Transferred | null>;
  /** Sends some files of a tree to a directory that holds others as well; what stands there is compared by content. */
  sendFiles(tree: string, place: string, files: Files): Promise<Transferred>;
  /** Paths of files that differ in content between a tree here and a directory there, which are sent if `mend` says so. */
  compare(tree: string, place: string, compared: Compared): Promise<string[]>;
  /** Fetches a directory but for some folders into one here, with modes, times and links. */
  fetch(place: string, to: string, apart?: readonly string[]): Promise<void>;
  /** Ends the connection that the operations shared, if there is one. */
  close(): Promise<void>;
}

/** A place above a mirror's root that is sure to be there. */
interface Above {
  /** The root below it. */
  readonly path: string;
  /** Those of the paths below it that are there. */
  list(paths: readonly string[]): Promise<ListedEntry[]>;
  /** The same host with another root. */
  rooted(path: string): Transport;
}

/**
 * Runs a script of POSIX `sh` where a mirror is, its arguments in `$1`, `$2`, … It is the body of a function: it ends with
 * `return`, and begins in whatever directory the one before has left.
 *
 * @returns what it printed, whatever came of it; null where the host offers no shell, or cannot be reached.
 * @throws MirrorError `timeout` when the host is silent.
 */
export type Shell = (script: string, args: readonly string[]) => Promise<string | null>;

export interface TransportOptions {
  /** The set's name, for names of what is not whole yet. */
  readonly set: string;
  /** Seconds without progress after which the host counts as silent. */
  readonly timeout: number;
  /** Bytes in a second at most. */
  readonly bandwidth?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What stands somewhere; `unread` says why a part of it could not be read, and is null where all was. */
export interface Listing {
  readonly entries: readonly ListedEntry[];
  readonly unread: string | null;
}

/** Small entries by their paths below the root. */
export interface SmallEntries {
  /** Directories on the way that are made where they are missing, outer ones first. */
  readonly directories?: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  /** Texts of links. */
  readonly links?: Readonly<Record<string, string>>;
}

export interface Sending {
  /** Directories of the mirror that files are linked from, those with the same size, time and mode. */
  readonly bases: readonly string[];
  /** Folders that are left out. */
  readonly apart?: readonly string[] | undefined;
  /** Whether what has the same size and time is compared as well. Default: no. */
  readonly byContent?: boolean;
  /** Only to find out what would be sent. */
  readonly dryRun?: boolean;
}

export interface Files {
  readonly paths: readonly string[];
  /** Directories of the mirror that files are linked from, where content and time are the same. */
  readonly bases: readonly string[];
}

export interface Compared {
  readonly paths: readonly string[];
  /** What is known of them here: a host with a shell works out by itself whether it has that. */
  readonly files?: Manifest['files'];
  readonly mend?: boolean;
  /** A directory of the mirror to link from what is mended. */
  readonly base?: string;
}

/** What one transfer moved. `changed` are paths below the place that it went to. */
export interface Transferred {
  readonly bytes: number;
  readonly files: number;
  readonly changed: readonly string[];
  /** What was done, file by file. */
  readonly report: string;
}

export const nothingSent: Transferred = { bytes: 0, files: 0, changed: [], report: '' };
