import { join } from 'node:path';
import { keptIn, machinesIn, type Places, snapshotsIn } from './records.ts';
import { type ExpiryLimits, expired, type Stored } from './snapshots.ts';

/** The snapshots of a host and the machines that it keeps, with the disk that each takes. */
export async function storedIn(places: Places): Promise<readonly Stored[]> {
  const [snapshots, kept] = await Promise.all([snapshotsIn(places), keptIn(places)]);
  const images = new Map(snapshots.map(({ id, image }) => [id, image]));
  const all = [
    ...snapshots.map(({ id, image, time }) => ({ id, image, time })),
    ...kept.map(({ build, time, machines }) => {
      const standsOn = machines.map(({ snapshot }) => snapshot);
      return { id: build, image: images.get(standsOn[0] ?? '') ?? '', time, standsOn };
    }),
  ];
  return Promise.all(
    all.map(async (each) => ({ ...each, bytes: await places.host.files.sizeOf(placeOf(places, each)) })),
  );
}

/** Removes what is over the limits and in nobody's use. @returns what it has removed */
export async function expireSnapshots(places: Places, limits: ExpiryLimits): Promise<readonly Stored[]> {
  const goes = expired(await storedIn(places), await machinesIn(places), { ...limits, now: Date.now() });
  const { files } = places.host;
  for (const each of goes) {
    const place = placeOf(places, each);
    // Without its record nobody takes it any more, whatever becomes of the rest.
    for (const record of ['snapshot.json', 'kept.json']) await files.remove(join(place, record));
    await files.remove(place);
  }
  return goes;
}

function placeOf({ snapshots, kept }: Places, { id, standsOn }: Pick<Stored, 'id' | 'standsOn'>): string {
  return join(standsOn === undefined ? snapshots : kept, id);
}
