import { join } from 'node:path';
import { isVirtual, type Platform } from '../../../pipelines/model/platform.ts';
import { type MakingRun, removeDisks } from './disks.ts';
import { disksBeside, ensureGivenImage, givenImageNow } from './given.ts';
import { ensureVmImage, removeVmImages, vmImageNow, youth } from './image.ts';

/**
 * The images of a host's virtual machines: each of the disk that its platform names, or of its Debian release.
 *
 * @param directory of the host's virtual machines
 */
export function vmImages(directory: string, platforms: readonly Platform[]) {
  const images = join(directory, 'images');
  const imageNow = ({ image, ...system }: Platform) =>
    image === undefined ? vmImageNow(images, system) : givenImageNow(images, { image, codename: system.codename });
  return {
    imageNow,
    /** @returns the image's directory */
    ensureImage: ({ image, ...system }: Platform, run: MakingRun): Promise<string> =>
      image === undefined
        ? ensureVmImage(images, system, run.tell)
        : ensureGivenImage(images, { image, codename: system.codename }, run),
    /** Removes what no snapshot stands on and nobody would make today. @param kept directories of images */
    async removeImages(kept: readonly string[]): Promise<readonly string[]> {
      const wanted = await Promise.allSettled(platforms.filter(isVirtual).map(imageNow));
      // Which images are wanted is not known now.
      if (wanted.some(({ status }) => status === 'rejected')) return [];
      const current = wanted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      const removed = await removeVmImages(images, { current, kept });
      await removeDisks(disksBeside(images), youth);
      return removed;
    },
  };
}
