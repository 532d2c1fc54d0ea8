import type { KeptView, SnapshotView } from '../../../workflows/snapshots-contract.ts';
import { type Hardware, mismatch } from './host.ts';
import type { Kept, MachineRecord, Snapshot } from './records.ts';

/** Why a snapshot cannot be restored; null when it can. */
export function unfit({ hardware, damaged }: Snapshot, here: Hardware): string | null {
  return damaged ?? mismatch(hardware, here);
}

/** The newest snapshot of an image that this host can restore, or why there is none. */
export function bestSnapshot(snapshots: readonly Snapshot[], image: string, hardware: Hardware): Snapshot | string {
  const [newest, ...older] = snapshots.filter((each) => each.image === image).toSorted((a, b) => b.time - a.time);
  if (newest === undefined) return `there is no machine prepared of ${image} on this host`;
  const fits = [newest, ...older].find((each) => unfit(each, hardware) === null);
  if (fits !== undefined) return fits;
  return `the machine prepared of ${image} cannot be restored: ${unfit(newest, hardware)}`;
}

/** Has another snapshot prepared where none fits. */
export interface Remedy {
  /** @throws when that fails */
  readonly prepare: () => Promise<void>;
  readonly tell: (line: string) => void;
}

/**
 * The snapshot that a machine is restored from; where there is none that fits, as after an upgrade of the emulator, one
 * is prepared first.
 *
 * @throws an error that says why there is none
 */
export async function chooseSnapshot(look: () => Promise<Snapshot | string>, remedy: Remedy | null): Promise<Snapshot> {
  const found = await look();
  if (typeof found !== 'string') return found;
  if (remedy === null) throw new Error(`${found}: sluice vm prepare`);
  remedy.tell(`${found}; it is prepared anew, which takes minutes`);
  try {
    await remedy.prepare();
  } catch (error) {
    throw new Error(`${found}, and none can be prepared: ${error instanceof Error ? error.message : error}`);
  }
  const prepared = await look();
  if (typeof prepared !== 'string') return prepared;
  throw new Error(`${prepared}, although one was prepared`);
}

interface Found {
  readonly snapshots: readonly Snapshot[];
  readonly machines: readonly Pick<MachineRecord, 'snapshot'>[];
  /** Disk that each takes, by its id. */
  readonly bytes: ReadonlyMap<string, number>;
  /** What this host makes machines of; null where nobody asks. */
  readonly here: Hardware | null;
  readonly host: string;
}

/** What there is, as people see it: by platform, the newest first. */
export function viewsOf({ snapshots, machines, bytes, here, host }: Found): readonly SnapshotView[] {
  const current = new Set<string>();
  const sorted = snapshots.toSorted((a, b) => (a.image === b.image ? b.time - a.time : a.image < b.image ? -1 : 1));
  return sorted.map((snapshot) => {
    const { id, image, time, cores, memoryMiB, bootMs } = snapshot;
    const reason = here === null ? null : unfit(snapshot, here);
    const state = reason !== null ? 'unfit' : current.has(image) ? 'older' : 'current';
    if (state === 'current') current.add(image);
    const users = machines.filter(({ snapshot }) => snapshot === id).length;
    const what = { id, platform: image, host, time, bytes: bytes.get(id) ?? 0, cores, memoryMiB, bootMs };
    return { ...what, machines: users, state, reason };
  });
}

/** What is kept for how long, and how much of it. */
export interface SnapshotLimits {
  /** Milliseconds. */
  readonly age: number;
  /** Bytes of all together. */
  readonly bytes: number;
}

export interface ExpiryLimits extends SnapshotLimits {
  /** The images that there are platforms of: the newest snapshot of each stays. Absent: all. */
  readonly wanted?: ReadonlySet<string>;
}

/** A snapshot, or the kept machines of a build, with the disk that it takes, in bytes. */
export interface Stored extends Pick<Snapshot, 'id' | 'image' | 'time'> {
  readonly bytes: number;
  /** The snapshots that kept machines stand on; absent: it is a snapshot itself. */
  readonly standsOn?: readonly string[];
}

/**
 * Which ones go: those that are too old, and the oldest of those that are too many. The newest snapshot of each image
 * stays, and so does what a machine stands on, be it one that is kept.
 */
export function expired(
  stored: readonly Stored[],
  machines: readonly Pick<MachineRecord, 'snapshot' | 'kept'>[],
  { age, bytes, now, wanted }: ExpiryLimits & { readonly now: number },
): readonly Stored[] {
  const oldestFirst = stored.toSorted((a, b) => a.time - b.time);
  const prepared = oldestFirst.filter(({ standsOn, image }) => standsOn === undefined && wanted?.has(image) !== false);
  const newest = new Map(prepared.map(({ image, id }) => [image, id]));
  const used = new Set([
    ...[...newest.values(), ...machines.flatMap(({ snapshot, kept = [] }) => [snapshot, kept].flat())],
    ...stored.flatMap(({ standsOn = [] }) => standsOn),
  ]);
  let total = stored.reduce((sum, each) => sum + each.bytes, 0);
  return oldestFirst.filter((each) => {
    if (used.has(each.id) || (now - each.time <= age && total <= bytes)) return false;
    total -= each.bytes;
    return true;
  });
}

/** What is kept of failed jobs, as people see it: the newest first. */
export function keptViewsOf(
  kept: readonly Kept[],
  {
    machines,
    bytes,
    host,
    age,
  }: Pick<Found, 'bytes' | 'host'> & {
    readonly machines: readonly Pick<MachineRecord, 'kept'>[];
    readonly age: number;
  },
): readonly KeptView[] {
  const newestFirst = kept.toSorted((a, b) => b.time - a.time);
  return newestFirst.map(({ build, time, machines: nodes, steps = [] }) => ({
    ...{ build, host, time, until: time + age, bytes: bytes.get(build) ?? 0 },
    steps: steps.map(({ number }) => number),
    nodes: nodes.map(({ name }) => name),
    open: machines.some((each) => each.kept === build),
  }));
}
