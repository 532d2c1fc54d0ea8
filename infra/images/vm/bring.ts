import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256 } from '../../../activities/files/digest.ts';
import { mustOn } from '../../../activities/nodes/vm/hosts/must.ts';
import type { Host } from '../../../activities/nodes/vm/hosts/port.ts';
import { isVirtual, type Platform } from '../../../pipelines/model/platform.ts';
import type { MakingRun } from './disks.ts';
import { youth } from './image.ts';
import type { vmImages } from './images.ts';

interface Bringing {
  /** Those of this machine. */
  readonly images: Pick<ReturnType<typeof vmImages>, 'imageNow' | 'ensureImage'>;
  readonly platforms: readonly Platform[];
  readonly host: Host;
  /** Of the virtual machines there. */
  readonly directory: string;
}

/**
 * The images of a host elsewhere: made on this machine, and brought there once. What has arrived is compared with what was
 * sent before it counts.
 */
export function imagesOnHost({ images, platforms, host, directory }: Bringing): ReturnType<typeof vmImages> {
  const there = join(directory, 'images');
  const placeOf = (image: string) => join(there, basename(image));
  const imageNow = async (platform: Platform) => placeOf(await images.imageNow(platform));
  return {
    imageNow,
    async ensureImage(platform: Platform, run: MakingRun): Promise<string> {
      const image = await images.ensureImage(platform, run);
      const place = placeOf(image);
      if (await host.files.has(place)) return place;
      run.tell(`bringing the image of ${platform.name} to ${host.name}`);
      await bringImage(host, image, place);
      return place;
    },
    async removeImages(kept: readonly string[]): Promise<readonly string[]> {
      const wanted = await Promise.allSettled(platforms.filter(isVirtual).map(imageNow));
      // Which images are wanted is not known now.
      if (wanted.some(({ status }) => status === 'rejected')) return [];
      const current = wanted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const stays = new Set([...current, ...kept].map((path) => basename(path)));
      const old = (await oldIn(host, there)).filter((name) => !stays.has(name));
      for (const name of old) await host.files.remove(join(there, name));
      return old;
    },
  };
}

/** @throws an error that names the file which is not what was sent; nothing stays then */
async function bringImage(host: Host, image: string, place: string): Promise<void> {
  const { files } = host;
  const fresh = `${place}.${randomBytes(4).toString('hex')}.new`;
  await files.makeDirectory(join(place, '..'));
  try {
    await files.bring(image, fresh);
    for (const name of await readdir(image)) {
      const [sent, come] = await Promise.all([sha256(join(image, name)), files.digest(join(fresh, name))]);
      if (sent !== come) throw new Error(`${name} of ${image} is another one on ${host.name} than here`);
    }
    await files.sync(fresh);
    // Somebody else may have brought the same meanwhile.
    if (!(await files.has(place))) await files.move(fresh, place);
  } finally {
    await files.remove(fresh);
  }
}

/** What was not touched for a day: what is younger may be in the making. */
async function oldIn(host: Host, directory: string): Promise<readonly string[]> {
  if (!(await host.files.has(directory))) return [];
  const args = [directory, '-mindepth', '1', '-maxdepth', '1', '-mmin', `+${youth / 60_000}`, '-printf', '%f\\n'];
  return (await mustOn(host, 'find', args)).stdout.split('\n').filter((name) => name !== '');
}
