import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import type { ReleaseRecord } from '../report/types.ts';

/** Releases whose packages nobody waits for any more: they are shown, or something newer in their place is. */
export function settled(releases: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  return releases.filter(({ state }) => state === 'published' || state === 'superseded');
}

/** The released repository that a release has put its packages into; undefined where it has put none. */
export function placeOf(
  record: Pick<ReleaseRecord, 'packages' | 'repositories' | 'prepared'> | undefined,
): { readonly repository: string; readonly format: PackageFormat } | undefined {
  if (record === undefined) return undefined;
  const { packages, repositories, prepared } = record;
  if (prepared !== undefined) return { repository: prepared.repository, format: prepared.format };
  const format = packages[0]?.format as PackageFormat | undefined;
  if (format === undefined) return undefined;
  // Before there were lines, each format had one repository, which bears its name.
  return { repository: repositories.find((one) => one.format === format)?.name ?? format, format };
}

/** Whether a release has put packages of a format into a released repository. */
export function isReleasedIn(
  { packages, repositories }: ReleaseRecord,
  { repository, format }: { readonly repository: string; readonly format: string },
): boolean {
  if (!packages.some((one) => one.format === format)) return false;
  // Before there were lines, each format had one repository, which bears its name.
  return (repositories.find((one) => one.format === format)?.name ?? format) === repository;
}
