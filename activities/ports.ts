import type { Readable } from 'node:stream';
import type { BlobRef } from '../pipelines/model/artifact.ts';
import type { Artifact } from '../pipelines/model/job.ts';
import type { StageInput, StageResult } from '../workflows/contract.ts';
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
  readonly signal: AbortSignal;
  readonly log: BuildLog;
  /** An empty directory, removed afterwards. */
  readonly workdir: string;
  /** Says that the stage is alive; `progress` is shown to users. */
  heartbeat(progress?: string): void;
}

/**
 * One package stage. A verdict on the package is a result; an exception is a fault of the infrastructure and is
 * retried. Running it again with the same input is harmless.
 */
export type StageRunner = (input: StageInput, context: StageContext) => Promise<StageResult>;

/** Throw-away containers, on any engine that speaks Docker's API. */
export interface ContainerEngine {
  start(spec: ContainerSpec): Promise<Container>;
  /** Makes a network that only its members reach (`internal`), or one that also reaches out. */
  createNetwork(
    name: string,
    options: { readonly internal: boolean /** The build's id for `sweep`; default `name`. */; readonly build?: string },
  ): Promise<ContainerNetwork>;
  /** Removes what a killed worker left: containers and networks labelled with the build. */
  sweep(build: string): Promise<void>;
  /** The running container that `start` made for the build; null when there is none. */
  find(build: string): Promise<Container | null>;
  imageId(image: string): Promise<string>;
}

export interface ContainerSpec {
  readonly image: string;
  /** The build's id: a label that `sweep` and `sluice down --purge` look for. */
  readonly build: string;
  readonly hostname?: string;
  /**
   * `none`; `default`, a network of its own that reaches out; `later`, the same, but first attached by `reach`; or the
   * name of a network.
   */
  readonly network: string;
  /** Besides its own network it is in those of the containers of the same group that run already. */
  readonly group?: string;
  readonly limits: {
    readonly cpus: number;
    readonly memoryMiB: number;
    readonly pids: number;
    readonly diskMiB: number;
  };
  /**
   * `none`; `default`, what installing packages takes, where no program gains more than it was started with; `system`,
   * besides that what a system under test needs.
   */
  readonly privileges: 'none' | 'default' | 'system';
  readonly mounts?: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
  readonly hosts?: Readonly<Record<string, string>>;
  /** Directories that hold at most `diskMiB` each; a full one is a full disk to the programs inside. */
  readonly scratch?: readonly string[];
  /** Directories of at most 1 MiB each that are in memory alone: what is written there reaches no disk. */
  readonly memory?: readonly string[];
}

export interface ContainerNetwork {
  readonly name: string;
  remove(): Promise<void>;
}

export interface ExecOptions {
  readonly user?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the program reads from its standard input; absent: nothing. */
  readonly input?: string;
  readonly log?: BuildLog;
  readonly signal: AbortSignal;
  /** Milliseconds; the process group is killed and the result's `timedOut` set. */
  readonly timeout?: number;
}

export interface ExecResult {
  readonly code: number;
  /** Standard output and error together, the last 1 MiB. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** How much may be taken out of a container at once. */
export interface CopyLimits {
  /** Files and directories. */
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

export interface CopiedFile {
  /** Below the directory that it was copied to. */
  readonly path: string;
  readonly size: number;
}

export interface Container {
  readonly id: string;
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Copies a host file or directory's content into a directory of the container. */
  copyIn(hostPath: string, containerDir: string): Promise<void>;
  /**
   * Ends every program in the container but process 1, and makes sure of it from outside.
   *
   * @throws when something outlives it.
   */
  quiet(): Promise<void>;
  /**
   * Copies a file, or a directory with what is in it, out of the container, after `quiet`. Regular files alone are
   * taken, each made anew in `hostDir`.
   *
   * @throws RefusedContent for links, devices and pipes, and for more than the limits allow; nothing stays then.
   */
  copyOut(containerPath: string, hostDir: string, limits?: CopyLimits): Promise<readonly CopiedFile[]>;
  /** Takes every network away. */
  isolate(): Promise<void>;
  /** Attaches the network of its own, for one that was isolated or started with the network `later`. */
  reach(): Promise<void>;
  /** Joins a network made by `createNetwork`. */
  connect(network: string): Promise<void>;
  remove(): Promise<void>;
}
