import { compareVersions } from './version.ts';

/**
 * The `Release` of a build: the spec's own, the platform's tag, then the count of commits. It sorts above the same
 * release without a count and below the next release.
 *
 * @param release expanded, without the platform's tag.
 * @param count commits since epoch and version last changed, from 1.
 */
export function buildRelease(release: string, count: number): string {
  return `${release}%{?dist}.${count}`;
}

/** Whether `after` may follow `before` on one branch; both `[EPOCH:]VERSION-RELEASE`. */
export function isRaised(before: string, after: string): boolean {
  return compareVersions(before, after) < 0;
}
