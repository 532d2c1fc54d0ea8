import type { PackageVersion } from '../policy/kept-versions.ts';

interface Source {
  readonly name: string;
  readonly version: string;
}

/** A package that leaves a released repository, for there are enough newer versions of it. */
export function beyondKept(one: PackageVersion, keep: number): string {
  return `dropped ${described(one)}: it is not among the ${keep === 1 ? 'newest version' : `${keep} newest versions`}`;
}

/** A package that leaves a released repository, for its source has a newer version without it. */
export function droppedByItsSource(one: PackageVersion, source: Source): string {
  return `dropped ${described(one)}: ${source.name} ${source.version} builds it no more`;
}

/** One that would leave it and is needed. */
export function keptForOthers(
  one: PackageVersion,
  { source, by }: { readonly source: Source; readonly by: PackageVersion },
): string {
  return `kept ${described(one)}, which ${source.name} ${source.version} builds no more: ${described(by)} needs it`;
}

/** A package that is there again, since what had put it out of the repository is taken back. */
export function comesBack(one: PackageVersion): string {
  return `brought back ${described(one)}: what came in its place is taken back`;
}

/** One that would be, and of which a file is lost. */
export function isLost(one: PackageVersion): string {
  return staysOut([one], 'it is kept no more as it was released');
}

/** Some that would be, and may not. */
export function staysOut(ones: readonly PackageVersion[], why: string): string {
  return `${ones.map(described).join(', ')} ${ones.length === 1 ? 'does' : 'do'} not come back: ${why}`;
}

/** The same of all that would be there again. */
export function nothingComesBack(why: string): string {
  return `nothing comes back: ${why}`;
}

function described({ name, version, arch }: PackageVersion): string {
  return `${name} ${version} (${arch})`;
}
