import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import type { ReleaseRecord } from '../report/types.ts';

/** Whether a release has put packages of a format into a released repository. */
export function isReleasedIn(
  { packages, repositories }: ReleaseRecord,
  { repository, format }: { readonly repository: string; readonly format: PackageFormat },
): boolean {
  if (!packages.some((one) => one.format === format)) return false;
  // Before there were lines, each format had one repository, which bears its name.
  return (repositories.find((one) => one.format === format)?.name ?? format) === repository;
}
