import type { Readable } from 'node:stream';
import type { NodeKind, Platform } from '../../pipelines/model/platform.ts';
import type { AssignedMachine } from '../../pipelines/nodes/machines.ts';
import type { Capture, CaptureFile } from './capture.ts';

/** What a machine is wanted for. */
export interface MachineNeed {
  /** Its host name, by which the machines of a lease know each other. */
  readonly name: string;
  readonly platform: Platform;
  /**
   * In all but a `system`, which is there to try packages on and has what a real system gives them, no program gains
   * more than it was started with.
   */
  readonly kind: NodeKind;
  /** Whether it reaches out: from the start, first after `open()`, or never. Nobody else's machines are reached. */
  readonly network: 'open' | 'shut' | 'none';
  /** Shares no network with the others of its lease, and may come from another provider than they do. */
  readonly apart?: true;
  /** Machines of the same group, of other leases too, that are lent already can be reached. */
  readonly group?: string;
  /** Directories that hold at most `diskMiB` each; a full one is a full disk to the programs inside. */
  readonly scratch?: readonly string[];
  /** Directories of at most 1 MiB each that are in memory alone: what is written there reaches no disk. */
  readonly memory?: readonly string[];
  /** Directories of this host that it may read, and where. */
  readonly mounts?: readonly { readonly source: string; readonly target: string }[];
}

/** Takes what a program prints. */
export interface Output {
  write(text: string): void;
}

export interface ExecOptions {
  readonly user?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the program reads from its standard input; absent: nothing. */
  readonly input?: string | Readable;
  readonly log?: Output;
  readonly signal: AbortSignal;
  /** Milliseconds; the process group is killed and the result's `timedOut` set. */
  readonly timeout?: number;
}

/** How much of a program's output is kept in its result, in characters. */
export const keptOutput = 1024 * 1024;

export interface ExecResult {
  readonly code: number;
  /** Standard output and error together, the last of it. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** How much may be taken out of a machine at once. */
export interface TakeLimits {
  /** Files and directories. */
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

export interface TakenFile {
  /** Below the directory that it was copied to. */
  readonly path: string;
  readonly size: number;
}

/** One machine of a lease: a container, a virtual machine, or a computer that is there. */
export interface Machine {
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /** Copies a host file or directory's content into a directory of the machine. */
  put(hostPath: string, directory: string): Promise<void>;
  /**
   * Copies a file, or a directory with what is in it, out of the machine, after `quiet`. Regular files alone are taken,
   * each made anew in `hostDirectory`.
   *
   * @throws RefusedContent for links, devices and pipes, and for more than the limits allow; nothing stays then.
   */
  take(path: string, hostDirectory: string, limits?: TakeLimits): Promise<readonly TakenFile[]>;
  /**
   * Ends every program but those that the machine itself needs, and makes sure of it from outside.
   *
   * @throws when something outlives it.
   */
  quiet(): Promise<void>;
  /** Its network is its own and stays open: `close` is refused. Absent: it is the lease's. */
  readonly network?: 'its own';
  /** Lets it reach out. */
  open(): Promise<void>;
  /** Takes every network away. */
  close(): Promise<void>;
  /** A URL as it is reached from inside; absent: as from everywhere. */
  urlInside?(url: string): string;
  /**
   * Starts it anew, and waits until it answers: its programs end and its memory is empty, its disk stays, and it
   * reaches out, and the machines of its lease, as before. A container has no kernel of its own: there it is process 1 that begins anew.
   *
   * @throws soon after the signal is aborted: it may be anywhere on its way then, and is reached by nobody else
   */
  restart(signal: AbortSignal): Promise<void>;
  /** What it has printed on its serial console so far, the last MiB, also after its end; absent: it has none. */
  console?(): Promise<string>;
  /** What it was made from, as its provider names it: an image's digest. */
  origin(): Promise<string>;
}

/** Addresses of machines by their names. */
export type Addresses = Readonly<Record<string, string>>;

/** Where a system test is. */
export interface TestStep {
  /** Of all steps of the test, from 1. */
  readonly number: number;
  readonly name: string;
}

/** Machines that are lent to one build until they are released. */
export interface Lease {
  machine(need: MachineNeed): Promise<Machine>;
  /**
   * Another machine in the place of one, by its name: as that was when it was lent, and of what it was made from. That one is
   * gone then. Absent, or null: of these there is one alone, which stays as it is.
   */
  renew?(name: string): Promise<Machine | null>;
  /** The machine that an earlier lease of the same build has kept; null when there is none. */
  find(): Promise<Machine | null>;
  /**
   * From now on its machines reach each other by their names, and are in no other network. Twice is done once.
   *
   * @returns the address of each by its name
   * @throws for machines that keep a network of their own
   */
  seclude(signal: AbortSignal): Promise<Addresses>;
  /**
   * From now on its machines reach each other by their names, besides what they reach. Twice is done once.
   *
   * @returns the address of each by its name
   */
  introduce(signal: AbortSignal): Promise<Addresses>;
  /**
   * From now on, what secluded machines send each other is written to a file of this host, as `pcap`. Absent, or null:
   * theirs is no network that can be heard.
   *
   * @throws an error that says what that lacks
   */
  capture?(file: CaptureFile): Promise<Capture | null>;
  /**
   * From now on the machines are at a step of a test. If the one before was to be saved, they are first saved as they
   * are after it, and go on; what is kept of them has that as well. Absent: of these nothing is kept.
   *
   * @throws an error that says why they cannot be saved; the test goes on all the same
   */
  beginStep?(step: TestStep & { readonly save: boolean }): Promise<void>;
}

export interface LeaseRequest {
  /** The build's id: everything that is lent carries it, for `sweep`. */
  readonly build: string;
  /** Workflow that it is lent to: everything carries that, too, for `list`. Absent where a person waits for the end. */
  readonly holder?: string;
  /** Which ones, where they are there already, or stand ready: the desk has chosen. */
  readonly machines?: readonly AssignedMachine[];
  /** Whoever waits for what takes its time: hears why, and may stop to wait. */
  readonly waiting?: { readonly signal: AbortSignal; readonly tell: (line: string) => void };
}

/** What there is of a build's machines, and for whom it was made. */
export interface Made {
  readonly build: string;
  readonly holder?: string;
}

/** Machines that were saved as they were. */
export interface KeptMachines {
  /** Their names. */
  readonly nodes: readonly string[];
  /** How long they may stay, in milliseconds since the epoch. */
  readonly until: number;
  /** The numbers of the steps after which they were saved as well; absent: none. */
  readonly steps?: readonly number[];
}

/** A machine that is to stand ready, for whoever is lent it by this id. */
export interface ReadyRequest {
  readonly id: string;
  readonly holder: string;
  readonly platform: Platform;
}

/** A machine that stays as it is, for people. */
export interface HeldMachine {
  readonly name: string;
  /** By which a shell is had there, on this host. */
  readonly command: string;
}

/**
 * Where machines come from: the port of the node drivers.
 *
 * Every method throws EngineUnavailable when what makes the machines cannot be reached, and `machine` OutOfService when
 * one that is there already cannot be used.
 */
export interface Provider {
  /** Lends what a build may need. Nothing is made before it is asked for. */
  lend(request: LeaseRequest): Promise<Lease>;
  /**
   * Saves memory and disks of a lease's machines as they are now, for whoever wants to look at them later, and ends
   * them; absent where that cannot be done. @returns null where the lease has no machines of such a kind
   */
  keep?(lease: Lease): Promise<KeptMachines | null>;
  /**
   * Has a lease's machines ready for people, who look at them as they are; absent where that cannot be done. They stay
   * until they are swept, and what had been lent is not released.
   */
  hold?(lease: Lease): Promise<readonly HeldMachine[]>;
  /**
   * Makes a machine as stages want it that try packages, for nobody yet; absent where none stand ready. A lease that is
   * given its id takes it in the place of one that it would make, and removes it where it is not what it wants.
   */
  makeReady?(request: ReadyRequest): Promise<void>;
  /** Why one that stands ready is not to be lent; null: it is what would be made today. */
  whyNotReady?(request: Pick<ReadyRequest, 'id' | 'platform'>): Promise<string | null>;
  /** Takes back everything that was lent, also what is still in the making. Doing it twice is harmless. */
  release(lease: Lease): Promise<void>;
  /** Removes what a killed worker left of a build, and what was kept. Harmless when there is nothing. */
  sweep(build: string): Promise<void>;
  /**
   * What there is of all that was made for this installation, by any process: each build once for each holder. Nothing
   * where what is made belongs to no installation.
   */
  list(): Promise<readonly Made[]>;
}
