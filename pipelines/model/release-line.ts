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
}

/** What is released where. */
export interface ReleaseRules {
  /** APT's distribution name in the repository `deb`. */
  readonly codename: string;
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
export function lineOf(
  { codename, lines }: ReleaseRules,
  { format, platform, branch }: LineOf,
): { readonly repository: string; readonly codename: string } {
  const own = lines.filter(({ platforms }) => platforms.includes(platform));
  const found =
    own.find(({ branches }) => branches?.some((pattern) => fitsPattern(pattern, branch))) ??
    own.find(({ branches }) => branches === undefined);
  if (found !== undefined) return { repository: found.name, codename: found.codename };
  return { repository: format, codename: format === 'deb' ? codename : '' };
}

/** The names of all released repositories that there may be. */
export function repositoriesIn({ lines }: Pick<ReleaseRules, 'lines'>): readonly string[] {
  return ['deb', 'rpm', ...lines.map(({ name }) => name)];
}

/** Whether a repository is one of the two that are there without any rule. */
export function isFormats(repository: string): boolean {
  return repository === 'deb' || repository === 'rpm';
}
