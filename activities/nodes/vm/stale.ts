import { isVirtual, type Platform } from '../../../pipelines/model/platform.ts';
import type { Hardware } from './host.ts';
import type { Preparation } from './prepare.ts';
import { type Places, type Snapshot, snapshotsIn } from './records.ts';
import { bestSnapshot } from './snapshots.ts';

/** What machines of a platform would be made of now. */
export interface Made {
  /** Directory of the image, whether or not it is there. */
  readonly from: string;
  /** Digest of what is done to them before they are saved. */
  readonly provision?: string | undefined;
}

/** Where the machines of platforms come from. */
export interface Making {
  readonly places: Places;
  readonly platforms: readonly Platform[];
  readonly madeNow: (platform: Platform) => Promise<Made>;
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
export function preparationOf({ name, limits }: Platform, { from, provision }: Made, hardware: Hardware): Preparation {
  const made = { image: name, from, hardware, cores: limits.cpus, memoryMiB: limits.memoryMiB };
  return provision === undefined ? made : { ...made, provision };
}

/** Why a snapshot is not what would be prepared now; null when it is. */
export function whyStale(snapshot: Snapshot, wanted: Preparation): string | null {
  if (snapshot.from !== wanted.from) return 'its image would be another now';
  if (snapshot.provision !== wanted.provision) return 'its provisioning is another now';
  const same = snapshot.cores === wanted.cores && snapshot.memoryMiB === wanted.memoryMiB;
  return same ? null : "its platform's limits are others now";
}

/** The platforms whose image, provisioning, limits or emulator have changed since their machines were prepared. */
export async function findStale({ places, platforms, madeNow, hardware }: Making): Promise<readonly Stale[]> {
  const virtual = platforms.filter(isVirtual);
  if (virtual.length === 0) return [];
  const [snapshots, here] = await Promise.all([snapshotsIn(places), hardware()]);
  const found = await Promise.all(
    virtual.map(async (platform) => {
      // One whose image cannot be had is not to hide the others: its preparation says so.
      const made = await madeNow(platform).catch((error: Error) => error);
      const wanted = preparationOf(platform, made instanceof Error ? { from: '' } : made, here);
      const best = bestSnapshot(snapshots, platform.name, here);
      const reason = made instanceof Error ? made.message : typeof best === 'string' ? best : whyStale(best, wanted);
      const of = typeof best === 'string' ? {} : { snapshot: best.id };
      return reason === null ? [] : [{ platform: platform.name, ...of, reason, wanted }];
    }),
  );
  return found.flat();
}
