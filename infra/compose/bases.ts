import { join } from 'node:path';
import type { PreviewDeps } from '../../activities/release/preview.ts';
import { withKeptBase } from '../../activities/repository/deb/kept-base.ts';
import type { ReleasedWriter } from '../../activities/storage/port.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { Config } from '../config/load.ts';
import { allPlatforms } from '../config/platforms.ts';
import { readAptSettings } from '../images/apt-settings.ts';

interface BasesDeps {
  readonly config: Config;
  readonly released: Pick<ReleasedWriter, 'look'>;
  readonly rules: ReleaseRules;
  /** Where lists of archives are kept. */
  readonly archives: string;
}

/** How old an archive's lists may be before it is asked for newer ones; seconds. */
const fresh = 900;

/**
 * Where packages of a released repository may have their dependencies from: the archive of the line's first platform, as
 * this machine reaches it, and the released repositories that the line goes with.
 */
export function basesOf({ config, released, rules, archives }: BasesDeps): PreviewDeps['withBases'] {
  return async ({ repository, architectures }, work) => {
    const line = rules.lines.find(({ name }) => name === repository);
    const platform = allPlatforms(config).find(({ name }) => name === line?.platforms[0]);
    // Where an RPM platform has its packages from stands in its image alone.
    if (platform?.format !== 'deb') return work(null);
    const suite = platform.codename;
    const { sources } = await readAptSettings(suite);
    if (sources.length === 0) return work(null);
    const others = await Promise.all((line?.with ?? []).map((name) => released.look(name, async (tree) => tree)));
    const base = { source: sources, architectures: architectures.toSorted(), suite };
    const directory = join(archives, [suite, ...base.architectures].join('-'));
    return withKeptBase({ base, directory, fresh }, (archive) =>
      work([archive, ...others.filter((tree) => tree !== null)]),
    );
  };
}
