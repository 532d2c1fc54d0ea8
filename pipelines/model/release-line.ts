import type { PackageFormat } from './artifact.ts';
import { fitsPattern } from './name-pattern.ts';

/** A released repository besides the formats' own: for some platforms, and some branches or all. */
export interface ReleaseLine {
  /** The repository's name. */
  readonly name: string;
  readonly platforms: readonly string[];
  /** Patterns of branches; absent: all that no other line names. */
  readonly branches?: readonly string[];
  /** APT's distribution name; empty for RPM. */
  readonly codename: string;
  /** Other released repositories that jobs of the line see, too. */
  readonly with?: readonly string[];
  /** How its versions are named; absent: as anybody likes. */
  readonly versions?: 'security' | 'hotfix';
  /** `planned`: what is merged waits until a release plan takes it. Absent: it is shown at once. */
  readonly publish?: 'planned';
  /** How many versions of each package its index names; absent: as `ReleaseRules` say. */
  readonly keep?: number;
  /** Where its debug packages are; absent: as `ReleaseRules` say. */
  readonly debug?: DebugPlace;
}

/** Debug packages are in the lists of all others, or in lists of their own, which clients read when they are asked to. */
export type DebugPlace = 'together' | 'separate';

/** What is released where. */
export interface ReleaseRules {
  /** APT's distribution name in the repository `deb`. */
  readonly codename: string;
  /** How many versions of each package the indexes name; absent: all. */
  readonly keep?: number;
  /** Where debug packages are; absent: together with all others. */
  readonly debug?: DebugPlace;
  /** By repository, what the archive's keys are called that sign it, the first one its packages; absent: all of them. */
  readonly keys?: Readonly<Record<string, readonly string[]>>;
  readonly lines: readonly ReleaseLine[];
}

/** What a line is chosen by. */
export interface LineOf {
  readonly format: PackageFormat;
  /** The platform's name. */
  readonly platform: string;
  readonly branch: string;
}

/**
 * The released repository of a platform and branch, and APT's distribution name in it: that of the first line that
 * names both, else of the first that names the platform alone, else the one that bears the format's name.
 */
export function lineOf(rules: ReleaseRules, of: LineOf): { readonly repository: string; readonly codename: string } {
  const found = lineFor(rules, of);
  if (found !== undefined) return { repository: found.name, codename: found.codename };
  return { repository: of.format, codename: of.format === 'deb' ? rules.codename : '' };
}

/** The line of a platform and branch; undefined where they have the repository that bears the format's name. */
export function lineFor({ lines }: ReleaseRules, { platform, branch }: LineOf): ReleaseLine | undefined {
  const own = lines.filter(({ platforms }) => platforms.includes(platform));
  return (
    own.find(({ branches }) => branches?.some((pattern) => fitsPattern(pattern, branch))) ??
    own.find(({ branches }) => branches === undefined)
  );
}

/** All released repositories that a job sees: that of its line, and those that the line goes with. */
export function linesSeen(
  rules: ReleaseRules,
  of: LineOf,
): readonly { readonly repository: string; readonly codename: string }[] {
  const others = (lineFor(rules, of)?.with ?? []).map((repository) => {
    const line = rules.lines.find(({ name }) => name === repository);
    return { repository, codename: line?.codename ?? (of.format === 'deb' ? rules.codename : '') };
  });
  return [lineOf(rules, of), ...others];
}

/** How many versions of each package a released repository names; undefined: all. */
export function keptIn({ keep, lines }: ReleaseRules, repository: string): number | undefined {
  return lines.find(({ name }) => name === repository)?.keep ?? keep;
}

/** Whether a released repository has lists of their own for debug packages. */
export function separatesDebug({ debug, lines }: ReleaseRules, repository: string): boolean {
  return (lines.find(({ name }) => name === repository)?.debug ?? debug) === 'separate';
}

/** The names of all released repositories that there may be. */
export function repositoriesIn({ lines }: Pick<ReleaseRules, 'lines'>): readonly string[] {
  return ['deb', 'rpm', ...lines.map(({ name }) => name)];
}

/** Whether a repository is one of the two that are there without any rule. */
export function isFormats(repository: string): boolean {
  return repository === 'deb' || repository === 'rpm';
}
