import Docker from 'dockerode';
import { askIfThere } from '../../activities/nodes/docker/faults.ts';
import { imageOf, type NodeKind, type Platform } from '../../pipelines/model/platform.ts';
import { whyNotHere } from './emulation.ts';
import { ensureImages, type OnProgress } from './ensure.ts';
import type { WantedPlatform } from './recipes.ts';

/** Has the images of a platform there, with that of nodes of this kind, whoever asks and however often; `tell` hears what is done. */
export type PrepareImages = (platform: Platform, kind?: NodeKind, tell?: OnProgress) => Promise<void>;

/** Images in the making, and everybody who waits for them. */
interface Making {
  readonly done: Promise<void>;
  readonly told: Set<OnProgress>;
  /** The line that was told last, for who comes later. */
  last: string | null;
}

/**
 * Makes or fetches a platform's images when the first machine of it is wanted and one of them is not there: so nobody
 * waits for platforms that nobody uses. An image by an older recipe is used as it is; `sluice doctor` renews it.
 *
 * @param make how they are made, once for all who ask meanwhile, each of whom hears how far that is
 * @param why whether containers of a platform run here at all
 */
export function imagesOnNeed(
  onProgress: OnProgress,
  docker: Docker = new Docker(),
  make: typeof ensureImages = ensureImages,
  why: typeof whyNotHere = whyNotHere,
): PrepareImages {
  const making = new Map<string, Making>();
  return async (platform, kind = 'builder', tell = () => {}) => {
    const reason = await why(platform);
    if (reason !== null) throw new Error(reason);
    const control = kind === 'control';
    const key = control ? imageOf(platform, kind) : platform.name;
    if (making.get(key) === undefined && (await hasImages(platform, docker)) && (!control || (await has(docker, key))))
      return;
    const wanted = control ? { ...platform, control } : platform;
    const under = making.get(key) ?? begin(onProgress, (progress) => make([wanted], progress, docker));
    making.set(key, under);
    if (under.last !== null) tell(under.last);
    under.told.add(tell);
    return under.done.finally(() => {
      under.told.delete(tell);
      if (making.get(key) === under) making.delete(key);
    });
  };
}

/** @param onProgress hears every line, whoever waits */
function begin(onProgress: OnProgress, make: (onProgress: OnProgress) => Promise<void>): Making {
  const told = new Set([onProgress]);
  const progress: OnProgress = (line) => {
    under.last = line;
    for (const tell of told) tell(line);
  };
  // A making that tells something at once finds who is told.
  const under: Making = { done: Promise.resolve().then(() => make(progress)), told, last: null };
  return under;
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
