import { isVirtual, type Platform } from '../../pipelines/model/platform.ts';
import { type AptSettings, readAptSettings } from '../images/apt-settings.ts';
import { codenameOf } from '../images/recipes.ts';

export interface Reach {
  readonly platforms: readonly Platform[];
  /** Where containers reach the server. */
  readonly server: () => Promise<string>;
  /** Further mirrors, as configured. */
  readonly mirrors: readonly string[];
}

/** URLs that virtual machines may reach: the server's repositories, the archives that their images were made of, and mirrors. */
export async function reachedFrom(
  { platforms, server, mirrors }: Reach,
  read: (codename: string) => Promise<AptSettings> = readAptSettings,
): Promise<readonly string[]> {
  const virtual = platforms.filter(isVirtual);
  // A disk of an RPM distribution's has archives of its own.
  const debian = virtual.filter(({ format, image }) => format === 'deb' || image === undefined);
  const codenames = new Set(debian.map(codenameOf));
  const archives = await Promise.all([...codenames].map(async (codename) => archivesOf(await read(codename))));
  return [await server(), ...new Set([...archives.flat(), ...mirrors.map((url) => new URL(url).origin)])];
}

/** The archives that the host's APT names; who has a proxy speaks to that alone. */
export function archivesOf({ sources, config }: Pick<AptSettings, 'sources' | 'config'>): readonly string[] {
  const given = sources.map((line) => /\bhttps?:\S+/.exec(line)?.[0] ?? '');
  const proxies = new Map(
    [...config.matchAll(/^Acquire::(https?)::Proxy "(https?:[^"]+)"/gim)].map(([, of = '', url = '']) => [of, url]),
  );
  const reached = given.filter((url) => url !== '').map((url) => proxies.get(url.split(':')[0] ?? '') ?? url);
  return [...new Set(reached.map((url) => new URL(url).origin))];
}
