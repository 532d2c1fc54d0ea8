import type { Platform } from '../../pipelines/model/platform.ts';
import { builtInPlatforms } from '../images/platforms.ts';
import type { Config } from './load.ts';

/** Every platform there is: the built-in ones, and those of the configuration, which may replace them. */
export function allPlatforms(config: Pick<Config, 'platforms'>): readonly Platform[] {
  const own = Object.entries(config.platforms).map(([name, { buildImage = name, testImage = name, ...rest }]) => ({
    ...{ name, buildImage, testImage },
    ...rest,
  }));
  const kept = builtInPlatforms.filter(({ name }) => !(name in config.platforms));
  return [...kept, ...own];
}
