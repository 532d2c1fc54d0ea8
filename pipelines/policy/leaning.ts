import type { Bond, VersionRules } from '../formats/format.ts';
import { beyondNewest } from './kept-versions.ts';

/**
 * The newest packages there whose dependencies may be met otherwise, or no more, when others come: each needs a name that
 * one of these offers, or that one which they replace offers now. What is replaced is not among them, nor is what the
 * same sources have made before: a release drops that, or keeps it for those who need it.
 */
export function leaningOn(
  there: readonly Bond[],
  coming: readonly Bond[],
  compare: VersionRules['compareVersions'],
): readonly Bond[] {
  const names = new Set(coming.map(({ name }) => name));
  const sources = new Set(coming.flatMap(({ source }) => source?.name ?? []));
  const replaced = there.filter(({ name }) => names.has(name));
  const touched = new Set([...coming, ...replaced].flatMap(({ offers }) => offers.map((offer) => offer.name)));
  const others = there.filter(({ name, source }) => !names.has(name) && source !== null && !sources.has(source.name));
  const older = new Set(beyondNewest(others, 1, compare));
  return others.filter((one) => !older.has(one) && one.needs.flat().some(({ name }) => touched.has(name)));
}
