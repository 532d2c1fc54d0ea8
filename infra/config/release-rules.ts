import { type GivenKey, nameOf } from '../../activities/sign/signing-key/settings.ts';
import type { DebugPlace, ReleaseRules } from '../../pipelines/model/release-line.ts';
import { isSameKey } from './lines.ts';
import type { Config } from './load.ts';
import { madePlatforms } from './platforms.ts';

/** What the configuration releases where. A line without a distribution name has that of its first platform. */
export function releaseRules(config: Pick<Config, 'platforms' | 'release'>): ReleaseRules {
  const platforms = new Map(madePlatforms(config).map((platform) => [platform.name, platform]));
  const { deb, rpm, keep, debug, lines } = config.release;
  return {
    codename: deb.codename,
    ...kept(keep),
    ...placed(debug),
    ...keyed(config.release.keys.sign, { deb, rpm, ...lines }),
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

/** The keys of the repositories that have their own, as `release.keys.sign` calls them. */
function keyed(
  sign: readonly GivenKey[],
  repositories: Readonly<Record<string, { readonly keys?: readonly string[] | undefined }>>,
): Pick<ReleaseRules, 'keys'> {
  const called = sign.map(nameOf);
  const own = Object.entries(repositories).flatMap(([name, { keys }]) => {
    const some = keys?.map((key) => called.find((one) => isSameKey(one, key)) ?? key);
    return some === undefined ? [] : [[name, some] as const];
  });
  return own.length === 0 ? {} : { keys: Object.fromEntries(own) };
}

function placed(debug: DebugPlace | undefined): { readonly debug?: DebugPlace } {
  return debug === undefined ? {} : { debug };
}

function kept(keep: number | undefined): { readonly keep?: number } {
  return keep === undefined ? {} : { keep };
}
