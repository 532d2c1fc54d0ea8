import type { HeldBuild } from '../pipelines/nodes/holds.ts';

/** Input of the `snapshotPreparation` workflow. */
export interface SnapshotPreparationInput {
  /** Machine whose worker does it. */
  readonly host: string;
  /** Of which platform; null: of all that have virtual machines, one after the other. */
  readonly platform: string | null;
  /** Only where there is no snapshot that can be restored and is as the configuration says. */
  readonly missing: boolean;
}

/** What came of the preparation for a platform. */
export interface PreparedSnapshot {
  readonly platform: string;
  /** The snapshot's id. */
  readonly snapshot: string;
  /** False: there was one that is good. */
  readonly made: boolean;
  /** Milliseconds that its boot took until it answered. */
  readonly bootMs: number;
}

/** Input of the `snapshotExpiry` and `snapshotList` workflows. */
export interface SnapshotHostInput {
  readonly host: string;
}

/** What is kept of machines on a host, as people see it. */
export interface SnapshotView {
  readonly id: string;
  readonly platform: string;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Disk that it takes. */
  readonly bytes: number;
  readonly cores: number;
  readonly memoryMiB: number;
  /** Milliseconds that its boot took: what each restore saves. */
  readonly bootMs: number;
  /** How many machines stand on it now. */
  readonly machines: number;
  /** `current`: new leases get it. `older`: another one is newer. `unfit`: it cannot be restored here, and `reason` says why. */
  readonly state: 'current' | 'older' | 'unfit';
  readonly reason: string | null;
}

/** The last preparation for a platform, where that has failed. */
interface FailedPreparation {
  readonly platform: string;
  readonly host: string;
  readonly time: number;
  readonly reason: string;
}

/** The machines of a job that has failed, as they were then. */
export interface KeptView {
  readonly build: string;
  readonly host: string;
  /** Milliseconds since the epoch: when they were kept, and how long they may stay. */
  readonly time: number;
  readonly until: number;
  /** Disk that they take. */
  readonly bytes: number;
  /** Their names. */
  readonly nodes: readonly string[];
  /** The steps of the test after which they are kept as well; absent: an older worker does not say. */
  readonly steps?: readonly number[];
  /** Whether somebody has a debug session of them. */
  readonly open: boolean;
}

/** Input of the `debugSession` workflow. */
export interface DebugInput {
  readonly host: string;
  /** Whose machines are wanted. */
  readonly build: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
  /** After which step of the test they are wanted, counted from 1; absent: as at the failure. */
  readonly step?: number;
}

/** One machine of a debug session. */
export interface DebugNode {
  readonly name: string;
  /** By which a shell is had there, on the host. */
  readonly command: string;
  /** Whether it answers at all: one that hung when it was kept hangs again. */
  readonly answers: boolean;
  /** The host's file with what it had printed on its console. */
  readonly console: string;
}

/** How a debug session stands. */
export interface DebugView extends DebugInput {
  /** None as long as they are being restored. */
  readonly nodes: readonly DebugNode[];
  /** Why its machines are being ended, for which a host that is away has an hour; absent: they are not. */
  readonly ending?: string;
}

/** What a host has of machines. */
export interface HostMachines {
  readonly snapshots: readonly SnapshotView[];
  readonly kept: readonly KeptView[];
  /** Builds that have machines now; absent: an older worker does not say. */
  readonly builds?: readonly string[];
  /** Platforms with virtual machines that have no snapshot at all. */
  readonly missing: readonly string[];
  readonly failed: readonly FailedPreparation[];
}

/** The machines of a failed build that a hold leaves as they are. */
interface HeldView extends HeldBuild {
  /** Id of the hold. */
  readonly hold: string;
}

/** A host elsewhere that does not answer, and why. */
export interface SilentHost {
  readonly host: string;
  readonly reason: string;
}

/** What there is of machines, as people see it. */
export interface SnapshotList extends Omit<HostMachines, 'builds'> {
  /** The same as `missing`, and on which host; absent: there is one. */
  readonly missingOn?: readonly { readonly platform: string; readonly host: string }[];
  readonly held: readonly HeldView[];
  /** Hosts elsewhere that do not say what they keep, and why; absent: all do. */
  readonly silent?: readonly SilentHost[];
}

/** A snapshot that was removed, or kept machines: those have their build's id. */
export interface ExpiredSnapshot extends Pick<SnapshotView, 'id' | 'platform' | 'host' | 'time' | 'bytes'> {
  readonly kind: 'snapshot' | 'kept';
}

/** What was removed because it was over the limits. */
export interface Expiry {
  readonly removed: readonly ExpiredSnapshot[];
  /** Hosts elsewhere that do not say what they have removed, and why; absent: all do. */
  readonly silent?: readonly SilentHost[];
}

/** What is asked of a host's worker. */
export interface SnapshotActivities {
  /** Platforms that have virtual machines. */
  virtualPlatforms(): Promise<readonly string[]>;
  prepareSnapshot(input: { readonly platform: string; readonly missing: boolean }): Promise<PreparedSnapshot>;
  listSnapshots(): Promise<HostMachines>;
  expireSnapshots(): Promise<readonly ExpiredSnapshot[]>;
  /** Restores what was kept of a build, for the workflow that asks. */
  openDebug(input: Pick<DebugInput, 'build' | 'step'>): Promise<readonly DebugNode[]>;
  /** Ends those machines; they are kept as they were. */
  closeDebug(input: { readonly build: string }): Promise<void>;
}
