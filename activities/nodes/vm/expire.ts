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

/** What makes a directory in one of the places count. */
const records = { snapshots: 'snapshot.json', kept: 'kept.json' } as const;

/**
 * Removes what is over the limits and in nobody's use, and what an earlier removal has left, whose worker was killed or
 * whose host went away meanwhile.
 *
 * @returns what it has removed of the former
 */
export async function expireSnapshots(places: Places, limits: ExpiryLimits): Promise<readonly Stored[]> {
  await removeRemains(places);
  const goes = expired(await storedIn(places), await machinesIn(places), { ...limits, now: Date.now() });
  const { files } = places.host;
  for (const each of goes) {
    const place = placeOf(places, each);
    // Without its record nobody takes it any more, whatever becomes of the rest.
    await files.remove(join(place, records[kindOf(each)]));
    await files.remove(place);
  }
  return goes;
}

/** All comes to its place with its record: without one it is on its way out. What is only out of reach stays. */
async function removeRemains(places: Places): Promise<void> {
  const { files } = places.host;
  for (const kind of ['snapshots', 'kept'] as const) {
    for (const name of await files.listWithout(places[kind], records[kind])) {
      await files.remove(join(places[kind], name));
    }
  }
}

function kindOf({ standsOn }: Pick<Stored, 'standsOn'>): keyof typeof records {
  return standsOn === undefined ? 'snapshots' : 'kept';
}

function placeOf(places: Places, each: Pick<Stored, 'id' | 'standsOn'>): string {
  return join(places[kindOf(each)], each.id);
}
