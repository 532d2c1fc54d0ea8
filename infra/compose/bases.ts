import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreviewDeps } from '../../activities/release/preview.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import type { ReleasedWriter } from '../../activities/storage/port.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { Config } from '../config/load.ts';
import { allPlatforms } from '../config/platforms.ts';
import { readAptSettings } from '../images/apt-settings.ts';

interface BasesDeps {
  readonly config: Config;
  readonly released: Pick<ReleasedWriter, 'look'>;
  readonly rules: ReleaseRules;
}

/**
 * Where packages of a released repository may have their dependencies from: the archive of the line's first platform, as
 * this machine reaches it, and the released repositories that the line goes with.
 */
export function basesOf({ config, released, rules }: BasesDeps): PreviewDeps['withBases'] {
  return async ({ repository, architectures }, work) => {
    const line = rules.lines.find(({ name }) => name === repository);
    const platform = allPlatforms(config).find(({ name }) => name === line?.platforms[0]);
    // Where an RPM platform has its packages from stands in its image alone.
    if (platform?.format !== 'deb') return work(null);
    const { sources } = await readAptSettings(platform.codename);
    if (sources.length === 0) return work(null);
    const directory = await mkdtemp(join(tmpdir(), 'sluice-base-'));
    try {
      const suite = platform.codename;
      const archive = await repositoryFormats.deb.fetchBase({ source: sources, architectures, suite }, directory);
      const others = await Promise.all((line?.with ?? []).map((name) => released.look(name, async (tree) => tree)));
      return await work([archive, ...others.filter((tree) => tree !== null)]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
}
