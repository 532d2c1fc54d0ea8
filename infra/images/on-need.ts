import Docker from 'dockerode';
import { askIfThere } from '../../activities/nodes/docker/faults.ts';
import { imageOf, type NodeKind, type Platform } from '../../pipelines/model/platform.ts';
import { whyNotHere } from './emulation.ts';
import { ensureImages, type OnProgress } from './ensure.ts';
import type { WantedPlatform } from './recipes.ts';

/** Has the images of a platform there, with that of nodes of this kind, whoever asks and however often. */
export type PrepareImages = (platform: Platform, kind?: NodeKind) => Promise<void>;

/**
 * Makes or fetches a platform's images when the first machine of it is wanted and one of them is not there: so nobody
 * waits for platforms that nobody uses. An image by an older recipe is used as it is; `sluice doctor` renews it.
 *
 * @param make how they are made, once for all who ask meanwhile
 * @param why whether containers of a platform run here at all
 */
export function imagesOnNeed(
  onProgress: OnProgress,
  docker: Docker = new Docker(),
  make: typeof ensureImages = ensureImages,
  why: typeof whyNotHere = whyNotHere,
): PrepareImages {
  const making = new Map<string, Promise<void>>();
  return async (platform, kind = 'builder') => {
    const reason = await why(platform);
    if (reason !== null) throw new Error(reason);
    const control = kind === 'control';
    const key = control ? imageOf(platform, kind) : platform.name;
    const under = making.get(key);
    if (under !== undefined) return under;
    if ((await hasImages(platform, docker)) && (!control || (await has(docker, key)))) return;
    const wanted = control ? { ...platform, control } : platform;
    const made = making.get(key) ?? make([wanted], onProgress, docker).finally(() => making.delete(key));
    making.set(key, made);
    return made;
  };
}

/** Those platforms that have their images already: somebody has used them. One that is half made is made on need. */
export async function platformsInUse(
  platforms: readonly Platform[],
  docker: Docker = new Docker(),
): Promise<readonly Platform[]> {
  const used = await Promise.all(platforms.map((platform) => hasImages(platform, docker)));
  return platforms.filter((_, i) => used[i]);
}

/** The platforms, each with what those of its nodes need that run playbooks, where an image for them is there already. */
export async function withControl(
  platforms: readonly Platform[],
  docker: Docker = new Docker(),
): Promise<readonly WantedPlatform[]> {
  const there = await Promise.all(platforms.map((platform) => has(docker, imageOf(platform, 'control'))));
  return platforms.map((platform, i) => (there[i] ? { ...platform, control: true } : platform));
}

/** Whether a platform's images are there, by whatever recipe. @throws EngineUnavailable */
export async function hasImages({ buildImage, testImage }: Platform, docker: Docker = new Docker()): Promise<boolean> {
  return (await has(docker, buildImage)) && (await has(docker, testImage));
}

async function has(docker: Docker, image: string): Promise<boolean> {
  return (await askIfThere('look at an image', docker.getImage(image).inspect())) !== null;
}
