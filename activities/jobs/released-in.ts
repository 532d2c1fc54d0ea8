import type { ReleaseRecord } from '../report/types.ts';

/** Releases whose packages nobody waits for any more: they are shown, or something newer in their place is. */
export function settled(releases: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  return releases.filter(({ state }) => state === 'published' || state === 'superseded');
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
