import Docker from 'dockerode';
import { askIfThere } from '../../activities/nodes/docker/faults.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { ensureImages, type OnProgress } from './ensure.ts';

/** Has the images of a platform there, whoever asks and however often. */
export type PrepareImages = (platform: Platform) => Promise<void>;

/**
 * Makes or fetches a platform's images when the first machine of it is wanted and one of them is not there: so nobody
 * waits for platforms that nobody uses. An image by an older recipe is used as it is; `sluice doctor` renews it.
 *
 * @param make how they are made, once for all who ask meanwhile
 */
export function imagesOnNeed(
  onProgress: OnProgress,
  docker: Docker = new Docker(),
  make: typeof ensureImages = ensureImages,
): PrepareImages {
  const making = new Map<string, Promise<void>>();
  return async (platform) => {
    const under = making.get(platform.name);
    if (under !== undefined) return under;
    if (await hasImages(platform, docker)) return;
    const made =
      making.get(platform.name) ?? make([platform], onProgress, docker).finally(() => making.delete(platform.name));
    making.set(platform.name, made);
    return made;
  };
}

/** Those platforms that have an image already: somebody has used them. */
export async function platformsInUse(
  platforms: readonly Platform[],
  docker: Docker = new Docker(),
): Promise<readonly Platform[]> {
  const used = await Promise.all(
    platforms.map(
      async ({ buildImage, testImage }) => (await has(docker, buildImage)) || (await has(docker, testImage)),
    ),
  );
  return platforms.filter((_, i) => used[i]);
}

/** Whether a platform's images are there, by whatever recipe. @throws EngineUnavailable */
export async function hasImages({ buildImage, testImage }: Platform, docker: Docker = new Docker()): Promise<boolean> {
  return (await has(docker, buildImage)) && (await has(docker, testImage));
}

async function has(docker: Docker, image: string): Promise<boolean> {
  return (await askIfThere('look at an image', docker.getImage(image).inspect())) !== null;
}
