import { compareVersions, parseVersion } from './version.ts';

/** The part of a version that the count of commits starts anew with: epoch and upstream version. */
export function countedPart(version: string): string {
  const parsed = parseVersion(version);
  return parsed === null ? version : `${parsed.epoch}:${parsed.upstream}`;
}

/**
 * The version of a build: `+cN` ("commits") after the upstream version, so that a generated upstream tarball has a name
 * of its own for each state. It sorts above the changelog's version and its binary rebuilds (`+b1`), and below the
 * next upstream version, `+dfsg` and `+nmu1` included.
 *
 * @param version as in the changelog, valid.
 * @param count commits since the upstream version last changed, from 1.
 */
export function buildVersion(version: string, count: number): string {
  const parsed = parseVersion(version);
  if (parsed === null) throw new RangeError(`not a Debian version: ${JSON.stringify(version)}`);
  const epoch = parsed.epoch === 0 ? '' : `${parsed.epoch}:`;
  const revision = parsed.revision === '' ? '' : `-${parsed.revision}`;
  return `${epoch}${parsed.upstream}+c${count}${revision}`;
}

/** Whether `after` may follow `before` on one branch. */
export function isRaised(before: string, after: string): boolean {
  return parseVersion(before) === null || compareVersions(before, after) < 0;
}
