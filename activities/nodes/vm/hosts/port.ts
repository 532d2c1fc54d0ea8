import type { Duplex } from 'node:stream';
import type { LiveProgram } from '../../../process/begin.ts';
import type { RunResult } from '../../../process/run.ts';
import type { scripts } from './scripts.ts';

/** What a program on a host is run with. */
export interface HostRunOptions {
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
  /** It is given up, with the code of a program that was killed, when what it prints is like this. */
  readonly fatal?: RegExp;
}

/** An emulator that is to be started in a machine's directory. */
export interface Launch {
  readonly directory: string;
  readonly argv: readonly string[];
  /** The file that its descriptor 3 reads: a saved memory. Null: none. */
  readonly memory: string | null;
  /** Milliseconds until it must listen. */
  readonly timeout: number;
}

/**
 * A machine that virtual machines run on, their processes and their files: this one, or one that is reached over SSH. The port
 * of the adapters `local/` and `ssh/`. Paths are the host's own, absolute and without links.
 *
 * Every method throws EngineUnavailable when a host elsewhere cannot be reached.
 */
export interface Host {
  /** As people know it, and the task queue of what is done there. */
  readonly name: string;
  readonly files: HostFiles;
  /** @throws OutOfService when it cannot be reached */
  answers(): Promise<void>;
  /** Runs a program that is over soon, and waits for that. @throws when there is no such program */
  run(program: string, args: readonly string[], options?: HostRunOptions): Promise<RunResult>;
  /** Begins a program of ours that goes on until its input ends, or this process does. */
  begin(program: keyof typeof scripts, args: readonly string[]): Promise<LiveProgram>;
  /**
   * Starts an emulator, which outlives whoever has started it. What it prints comes to the end of `console.log` in its
   * directory, of which no more than 2 MiB are kept, and what it says of itself into `emulator.log`.
   *
   * @returns when it listens at the socket `qmp`
   * @throws when it has ended before, or does not listen in time; it is killed then
   */
  launch(launch: Launch): Promise<void>;
  /** The processes that run with `-name NAME` as their first argument. */
  processes(name: string): Promise<readonly number[]>;
  /** Ends processes at once. Harmless when they are gone. */
  kill(processes: readonly number[]): Promise<void>;
  /**
   * Connects to a socket in a directory, whose path may be longer than an address of a socket.
   *
   * @throws an error with the system's code, or with its words, when nobody listens there
   */
  connect(directory: string, socket: string): Promise<Duplex>;
  /** Waits at a socket in a directory for one connection, and writes what comes by it into a new file. */
  receive(directory: string, socket: string, path: string): Promise<Receiving>;
}

/** A file in the making. */
export interface Receiving {
  /** Resolves when all has come and is on the disk. */
  readonly written: Promise<void>;
  close(): void;
}

/** Files of a host; all that is made is for its owner alone. */
export interface HostFiles {
  has(path: string): Promise<boolean>;
  /** Names in a directory; none where that is not there. */
  list(directory: string): Promise<readonly string[]>;
  /** Null where it is not there. */
  read(path: string): Promise<string | null>;
  /** The last bytes of a file, one character each, and how long it is; null where it is not there. */
  readEnd(path: string, bytes: number): Promise<{ readonly text: string; readonly size: number } | null>;
  /** The files of a name in the directories below one, each of a single line; those without one are passed over. */
  readEach(directory: string, name: string): Promise<readonly string[]>;
  /** Directories below one that have no file of a name, for sure: links, and what cannot be looked into, are passed over. */
  listWithout(directory: string, name: string): Promise<readonly string[]>;
  /** Replaces a file as a whole. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** With those above it. Harmless when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** With all below it. Harmless when it is not there. */
  remove(path: string): Promise<void>;
  /** To a name that is free, or a file's. The disk knows it there. */
  move(from: string, to: string): Promise<void>;
  /** A file; where the disk can, both have the same blocks until one of them changes. */
  copy(from: string, to: string): Promise<void>;
  /** Waits until the disk has all below a directory. */
  sync(directory: string): Promise<void>;
  /** Bytes of disk that all below a directory takes, or a file. What is removed meanwhile takes none. */
  sizeOf(path: string): Promise<number>;
  /** Bytes that may be written where a directory is. */
  free(directory: string): Promise<number>;
  /** Makes a new directory with the files of one of this machine; holes in them stay holes. */
  bring(directory: string, to: string): Promise<void>;
  /** SHA-256 of a file's content, in hexadecimal. */
  digest(path: string): Promise<string>;
}

/** A directory on a host. */
export interface Spot {
  readonly host: Host;
  readonly directory: string;
}
