import type { PackageFormat } from '../model/artifact.ts';
import { type LineOf, lineFor, type ReleaseRules } from '../model/release-line.ts';

/** How versions of a branch are named, so that they sort between those of the branch that they leave, and of the next. */
type VersionPolicy = 'security' | 'hotfix';

const shapes: Readonly<Record<VersionPolicy, { readonly of: RegExp; readonly words: string }>> = {
  security: { of: /^\d[\dA-Za-z.]*\.0\.[1-9]\d*$/, words: 'BASE.0.N, such as 1.2.0.1 after 1.2' },
  hotfix: { of: /^\d[\dA-Za-z.]*\.[1-9]\d*\.0$/, words: 'BASE.N.0, such as 1.2.1.0 after 1.2' },
};

/**
 * Why a version is not one of the line that it would be released in; null where it is, or its line asks for none.
 *
 * @param version whole: DEB's `[EPOCH:]UPSTREAM[-REVISION]`, RPM's `[EPOCH:]VERSION-RELEASE`
 */
export function versionFault(rules: ReleaseRules, of: LineOf & { readonly version: string }): string | null {
  const line = lineFor(rules, of);
  if (line?.versions === undefined) return null;
  const { of: shape, words } = shapes[line.versions];
  const upstream = upstreamOf(of.format, of.version);
  if (shape.test(upstream)) return null;
  return `the version ${upstream} is none of the line ${line.name}: \`versions: ${line.versions}\` asks for ${words}`;
}

/** Without epoch, revision, the count of commits, and what else comes after a `+`, `~` or `^`. */
function upstreamOf(format: PackageFormat, version: string): string {
  const [name = ''] = version.replace(/^\d+:/, '').split(/[+~^]/);
  return format === 'deb' ? name.replace(/-[^-]*$/, '') : (name.split('-')[0] ?? '');
}
