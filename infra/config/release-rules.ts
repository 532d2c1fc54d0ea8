import type { DebugPlace, ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { Config } from './load.ts';
import { madePlatforms } from './platforms.ts';

/** What the configuration releases where. A line without a distribution name has that of its first platform. */
export function releaseRules(config: Pick<Config, 'platforms' | 'release'>): ReleaseRules {
  const platforms = new Map(madePlatforms(config).map((platform) => [platform.name, platform]));
  const { deb, keep, debug, lines } = config.release;
  return {
    codename: deb.codename,
    ...kept(keep),
    ...placed(debug),
    lines: Object.entries(lines).map(([name, line]) => {
      // One repository has all architectures: packages for every one of them are there once.
      const others = [...platforms.values()].filter(({ primary = '' }) => line.platforms.includes(primary));
      const named = [...new Set([...line.platforms, ...others.map((each) => each.name)])];
      const first = platforms.get(line.platforms[0] ?? '');
      const codename = first?.format === 'deb' ? (line.codename ?? first.codename) : '';
      const branches = line.branches === undefined ? {} : { branches: line.branches };
      const versions = line.versions === undefined ? {} : { versions: line.versions };
      const seen = line.with === undefined ? {} : { with: line.with };
      const publish = line.publish === 'planned' ? { publish: line.publish } : {};
      return {
        ...{ name, platforms: named, ...branches, codename, ...seen },
        ...{ ...versions, ...publish, ...kept(line.keep), ...placed(line.debug) },
      };
    }),
  };
}

function placed(debug: DebugPlace | undefined): { readonly debug?: DebugPlace } {
  return debug === undefined ? {} : { debug };
}

function kept(keep: number | undefined): { readonly keep?: number } {
  return keep === undefined ? {} : { keep };
}
