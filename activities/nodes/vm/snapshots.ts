import type { SnapshotView } from '../../../workflows/snapshots-contract.ts';
import { type Hardware, mismatch } from './host.ts';
import type { MachineRecord, Snapshot } from './records.ts';

/**
 * The newest snapshot of an image that this host can restore.
 *
 * @throws an error that says why there is none
 */
export function bestSnapshot(snapshots: readonly Snapshot[], image: string, hardware: Hardware): Snapshot {
  const [newest, ...older] = snapshots.filter((each) => each.image === image).toSorted((a, b) => b.time - a.time);
  if (newest === undefined) throw new Error(`there is no machine prepared of ${image} on this host: sluice vm prepare`);
  const fits = [newest, ...older].find((each) => mismatch(each.hardware, hardware) === null);
  if (fits !== undefined) return fits;
  throw new Error(`the machine prepared of ${image} cannot be restored, ${mismatch(newest.hardware, hardware)}`);
}

interface Kept {
  readonly snapshots: readonly Snapshot[];
  readonly machines: readonly Pick<MachineRecord, 'snapshot'>[];
  /** Disk that each takes, by its id. */
  readonly bytes: ReadonlyMap<string, number>;
  /** What this host makes machines of; null where nobody asks. */
  readonly here: Hardware | null;
  readonly host: string;
}

/** What there is, as people see it: by platform, the newest first. */
export function viewsOf({ snapshots, machines, bytes, here, host }: Kept): readonly SnapshotView[] {
  const current = new Set<string>();
  const sorted = snapshots.toSorted((a, b) => (a.image === b.image ? b.time - a.time : a.image < b.image ? -1 : 1));
  return sorted.map(({ id, image, time, hardware, cores, memoryMiB, bootMs }) => {
    const reason = here === null ? null : mismatch(hardware, here);
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

/** A snapshot with the disk that it takes, in bytes. */
export interface Stored extends Pick<Snapshot, 'id' | 'image' | 'time'> {
  readonly bytes: number;
}

/**
 * Which snapshots go: those that are too old, and the oldest of those that are too many. The newest of each image stays,
 * and so does what a machine stands on.
 */
export function expired(
  snapshots: readonly Stored[],
  machines: readonly Pick<MachineRecord, 'snapshot'>[],
  { age, bytes, now }: SnapshotLimits & { readonly now: number },
): readonly Stored[] {
  const oldestFirst = snapshots.toSorted((a, b) => a.time - b.time);
  const newest = new Map(oldestFirst.map(({ image, id }) => [image, id]));
  const used = new Set([...newest.values(), ...machines.map(({ snapshot }) => snapshot)]);
  let total = snapshots.reduce((sum, each) => sum + each.bytes, 0);
  return oldestFirst.filter((each) => {
    if (used.has(each.id) || (now - each.time <= age && total <= bytes)) return false;
    total -= each.bytes;
    return true;
  });
}
