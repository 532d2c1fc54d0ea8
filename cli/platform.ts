import { allPlatforms } from '../infra/config/platforms.ts';
import { containerPlatform, type Platform } from '../pipelines/model/platform.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused, unavailable } from './fault.ts';

/** Every platform of the configuration. */
export function readPlatforms(config: string | undefined): readonly Platform[] {
  return allPlatforms(readConfiguration(config === undefined ? {} : { file: config }));
}

/** A platform by its name, whose nodes are containers. @throws CommandError 2 that names those there are. */
export function choosePlatform(name: string, config: string | undefined): Platform {
  const found = containerPlatform(readPlatforms(config), name);
  if (typeof found === 'string') throw misused(found);
  return found;
}

/**
 * Runs work in containers: makes the images of the platforms where they are missing, and ends the work on Ctrl-C.
 *
 * @throws CommandError 3 without a container engine, 1 where a platform's programs do not run on this machine.
 */
export async function withEngine<T>(
  platforms: readonly Platform[],
  onProgress: (line: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { ensureImages } = await import('../infra/images/ensure.ts');
  const { whyNotHere } = await import('../infra/images/emulation.ts');
  const reason = (await Promise.all(platforms.map((platform) => whyNotHere(platform)))).find((one) => one !== null);
  if (reason !== undefined) throw failed(reason);
  const controller = new AbortController();
  const stop = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await ensureImages(platforms, onProgress);
    return await work(controller.signal);
  } catch (error) {
    if (error instanceof Error && error.name === 'EngineUnavailable') {
      throw unavailable(`${error.message}\n\`sluice doctor\` says how to get one.`);
    }
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
