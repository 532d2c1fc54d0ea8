import type { LeaseRequest, Machine, Made } from '../port.ts';

/** Throw-away containers, on any engine that speaks Docker's API. */
export interface ContainerEngine {
  start(spec: ContainerSpec): Promise<Container>;
  /** Makes a network that only its members reach (`internal`), or one that also reaches out. */
  createNetwork(
    name: string,
    options: { readonly internal: boolean } & Partial<LeaseRequest> /** `build`, for `sweep`: default `name`. */,
  ): Promise<ContainerNetwork>;
  /** Removes what a killed worker left: containers and networks labelled with the build. */
  sweep(build: string): Promise<void>;
  /** The running container that `start` made for the build; null when there is none. */
  find(build: string): Promise<Container | null>;
  /** The id of what an image's name stands for now; null where there is none. */
  imageId(name: string): Promise<string | null>;
  /** What there is for the engine's installation; nothing without one. */
  list(): Promise<readonly Made[]>;
}

/** `build` is a label that `sweep` and `sluice down --purge` look for. */
export interface ContainerSpec extends LeaseRequest {
  readonly image: string;
  readonly hostname?: string;
  /**
   * `none`; `default`, a network of its own that reaches out; `later`, the same, but first attached by `open`; or the
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
  /** The interface that it is on the engine's machine. */
  link(): Promise<string>;
  remove(): Promise<void>;
}

/** A container, whose process 1 only waits. */
export interface Container extends Machine {
  readonly id: string;
  /** Joins a network made by `createNetwork`. @returns its address there */
  connect(network: string): Promise<string>;
  remove(): Promise<void>;
}
