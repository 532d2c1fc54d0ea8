import type { Platform } from '../../pipelines/model/platform.ts';
import { builtInPlatforms } from '../images/platforms.ts';
import { withType } from './instance-types.ts';
import type { Config } from './load.ts';

/**
 * Every platform there is: the built-in ones, those of the configuration, which may replace them, and one for each label
 * of static machines, like the one that they run.
 */
export function allPlatforms({ nodes, ...config }: Pick<Config, 'platforms' | 'nodes'>): readonly Platform[] {
  const made = madePlatforms(config).map((platform) => withType(platform, nodes));
  const labels = Object.values(nodes.static).flatMap(({ labels, platform }) =>
    labels.map((label) => [label, platform] as const),
  );
  const given = [...new Map(labels)].flatMap(([name, platform]) => {
    const like = made.find((each) => each.name === platform);
    return like === undefined
      ? []
      : [{ ...like, ...{ name, buildImage: name, testImage: name, provider: 'static' as const } }];
  });
  return [...made, ...given];
}

/** Those that are made here: containers and virtual machines. */
export function madePlatforms(config: Pick<Config, 'platforms'>): readonly Platform[] {
  const own = Object.entries(config.platforms).map(([name, { buildImage = name, testImage = name, ...rest }]) => ({
    ...{ name, buildImage, testImage },
    ...rest,
  }));
  const kept = builtInPlatforms.filter(({ name }) => !(name in config.platforms));
  return [...kept, ...own];
}
