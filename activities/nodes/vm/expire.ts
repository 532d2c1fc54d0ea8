import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { machinesIn, type Places, snapshotsIn } from './records.ts';
import { expired, type SnapshotLimits, type Stored } from './snapshots.ts';

/** The snapshots of a host, with the disk that each takes. */
export async function storedIn(places: Places): Promise<readonly Stored[]> {
  const snapshots = await snapshotsIn(places);
  return Promise.all(
    snapshots.map(async ({ id, image, time }) => ({
      id,
      image,
      time,
      bytes: await sizeOf(join(places.snapshots, id)),
    })),
  );
}

/** Removes the snapshots that are over the limits and in nobody's use. @returns what it has removed */
export async function expireSnapshots(places: Places, limits: SnapshotLimits): Promise<readonly Stored[]> {
  const goes = expired(await storedIn(places), await machinesIn(places), { ...limits, now: Date.now() });
  for (const { id } of goes) {
    // Without its record nobody takes it any more, whatever becomes of the rest.
    await rm(join(places.snapshots, id, 'snapshot.json'), { force: true });
    await rm(join(places.snapshots, id), { recursive: true, force: true });
  }
  return goes;
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).blocks * 512));
  return sizes.reduce((sum, size) => sum + size, 0);
}
