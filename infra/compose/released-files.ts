import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReleasedFiles } from '../../activities/lint/stage.ts';
import { versionRules } from '../../pipelines/formats/format.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';

/** How a format writes name and version into its packages' file names. */
const fileNames: Readonly<Record<PackageFormat, RegExp>> = {
  deb: /^([^_]+)_([^_]+)_[^_]+\.deb$/,
  rpm: /^(.+)-([^-]+-[^-]+)\.(?!src\.)[^.]+\.rpm$/,
};

/** Finds the newest binary package of a name in the released repositories below `root`. */
export function createReleasedFiles(root: string): ReleasedFiles {
  return async ({ format }, packageName) => {
    const paths = await readdir(join(root, format), { recursive: true, withFileTypes: true }).catch(() => []);
    const found = paths.flatMap((entry) => {
      const [, name, version] = fileNames[format].exec(entry.name) ?? [];
      return name === packageName && version !== undefined
        ? [{ path: join(entry.parentPath, entry.name), version }]
        : [];
    });
    found.sort((a, b) => versionRules[format].compareVersions(b.version, a.version));
    return found[0] === undefined ? null : [found[0].path];
  };
}
