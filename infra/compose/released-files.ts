import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReleasedFiles } from '../../activities/lint/stage.ts';
import { versionRules } from '../../pipelines/formats/format.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';

/** How a format writes name and version into its packages' file names: binary packages, and what a source consists of. */
const fileNames: Readonly<Record<PackageFormat, readonly RegExp[]>> = {
  deb: [/^([^_]+)_([^_]+)_[^_]+\.u?deb$/, /^([^_]+)_([^_]+?)\.(?:dsc|(?:orig\.|debian\.|)tar\.\w+|diff\.gz)$/],
  rpm: [/^(.+)-([^-]+-[^-]+)\.(?!src\.)[^.]+\.rpm$/, /^(.+)-([^-]+-[^-]+)\.src\.rpm$/],
};

/** Finds the newest binary and source packages of a name in the released repositories below `root`. */
export function createReleasedFiles(root: string): ReleasedFiles {
  return async ({ format }, packageName) => {
    const entries = await readdir(join(root, format), { recursive: true, withFileTypes: true }).catch(() => []);
    const found = fileNames[format].flatMap((pattern) => newest(format, named(entries, pattern, packageName)));
    return found.length === 0 ? null : found;
  };
}

interface Found {
  readonly path: string;
  readonly version: string;
}

function named(entries: readonly Dirent[], pattern: RegExp, packageName: string): readonly Found[] {
  return entries.flatMap((entry) => {
    const [, name, version] = pattern.exec(entry.name) ?? [];
    return name === packageName && version !== undefined ? [{ path: join(entry.parentPath, entry.name), version }] : [];
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
