import { isVirtual, type Platform } from '../../../pipelines/model/platform.ts';
import type { Hardware } from './host.ts';
import type { Preparation } from './prepare.ts';
import { type Places, type Snapshot, snapshotsIn } from './records.ts';
import { bestSnapshot } from './snapshots.ts';

/** Where the machines of platforms come from. */
export interface Making {
  readonly places: Places;
  readonly platforms: readonly Platform[];
  /** Directory of a platform's image as it would be made now, whether or not it is there. */
  readonly imageNow: (platform: Platform) => Promise<string>;
  readonly hardware: () => Promise<Hardware>;
}

/** A platform whose machines are not restored from what would be prepared now. */
export interface Stale {
  readonly platform: string;
  /** What its machines are restored from; absent: nothing fits. */
  readonly snapshot?: string;
  readonly reason: string;
  /** What would be prepared: as long as that is the same, preparing again would be the same. */
  readonly wanted: Preparation;
}

/** What a platform's machines are to be prepared of. */
export function preparationOf({ name, limits }: Platform, from: string, hardware: Hardware): Preparation {
  return { image: name, from, hardware, cores: limits.cpus, memoryMiB: limits.memoryMiB };
}

/** Why a snapshot is not what would be prepared now; null when it is. */
export function whyStale(snapshot: Snapshot, wanted: Preparation): string | null {
  if (snapshot.from !== wanted.from) return 'its image would be another now';
  const same = snapshot.cores === wanted.cores && snapshot.memoryMiB === wanted.memoryMiB;
  return same ? null : "its platform's limits are others now";
}

/** The platforms whose image, limits or emulator have changed since their machines were prepared. */
export async function findStale({ places, platforms, imageNow, hardware }: Making): Promise<readonly Stale[]> {
  const virtual = platforms.filter(isVirtual);
  if (virtual.length === 0) return [];
  const [snapshots, here] = await Promise.all([snapshotsIn(places), hardware()]);
  const found = await Promise.all(
    virtual.map(async (platform) => {
      // One whose image cannot be had is not to hide the others: its preparation says so.
      const from = await imageNow(platform).catch((error: Error) => error);
      const wanted = preparationOf(platform, typeof from === 'string' ? from : '', here);
      const best = bestSnapshot(snapshots, platform.name, here);
      const reason = typeof from !== 'string' ? from.message : typeof best === 'string' ? best : whyStale(best, wanted);
      const of = typeof best === 'string' ? {} : { snapshot: best.id };
      return reason === null ? [] : [{ platform: platform.name, ...of, reason, wanted }];
    }),
  );
  return found.flat();
}
