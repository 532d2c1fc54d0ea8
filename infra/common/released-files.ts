import { basename, join } from 'node:path';
import type { ReleasedFiles } from '../../activities/lint/stage.ts';
import type { ReleasedTrees } from '../../activities/storage/port.ts';
import { versionRules } from '../../pipelines/formats/format.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';

/** How a format writes name and version into its packages' file names: binary packages, and what a source consists of. */
const fileNames: Readonly<Record<PackageFormat, readonly RegExp[]>> = {
  deb: [/^([^_]+)_([^_]+)_[^_]+\.u?deb$/, /^([^_]+)_([^_]+?)\.(?:dsc|(?:orig\.|debian\.|)tar\.\w+|diff\.gz)$/],
  rpm: [/^(.+)-([^-]+-[^-]+)\.(?!src\.)[^.]+\.rpm$/, /^(.+)-([^-]+-[^-]+)\.src\.rpm$/],
};

/** Brings the newest binary and source packages of a name from the released repository of a platform and branch. */
export function createReleasedFiles(
  released: Pick<ReleasedTrees, 'current' | 'list' | 'fetch'>,
  rules: ReleaseRules,
): ReleasedFiles {
  return async ({ platform: { format, name: platform }, name, branch, seen }, directory) => {
    const { repository } = lineOf(rules, { format, platform, branch });
    const known = seen?.[repository];
    const generation = known === undefined ? await released.current(repository) : known;
    if (generation === null) return;
    const of = { repository, generation };
    const paths = await released.list(of);
    for (const path of fileNames[format].flatMap((pattern) => newest(format, named(paths, pattern, name)))) {
      // Two packages of one source share its files.
      await released.fetch(of, path, join(directory, basename(path))).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
  };
}

interface Found {
  readonly path: string;
  readonly version: string;
}

function named(paths: readonly string[], pattern: RegExp, packageName: string): readonly Found[] {
  return paths.flatMap((path) => {
    const [, name, version] = pattern.exec(basename(path)) ?? [];
    return name === packageName && version !== undefined ? [{ path, version }] : [];
  });
}

/** All files of the highest version; an upstream tarball belongs to every version that begins with its own. */
function newest(format: PackageFormat, found: readonly Found[]): readonly string[] {
  const sorted = found.toSorted((a, b) => versionRules[format].compareVersions(b.version, a.version));
  const highest = sorted[0]?.version;
  if (highest === undefined) return [];
  return found
    .filter(({ version }) => version === highest || highest.startsWith(`${version}-`))
    .map(({ path }) => path);
}
