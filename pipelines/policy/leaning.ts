import type { Bond, VersionRules } from '../formats/format.ts';
import { beyondNewest } from './kept-versions.ts';

/** What a release would change. */
export interface Exchange {
  readonly there: readonly Bond[];
  readonly coming: readonly Bond[];
  /** Of what is there, what the sources of what comes make no more. */
  readonly obsolete: readonly Bond[];
}

/**
 * The newest packages there whose dependencies may be met otherwise, or no more, after the exchange: each needs a name
 * that something coming, replaced or obsolete offers. What is replaced is not among them, nor is what the same sources
 * have made before: a release drops that, or keeps it for those who need it.
 */
export function leaningOn(
  { there, coming, obsolete }: Exchange,
  compare: VersionRules['compareVersions'],
): readonly Bond[] {
  const names = new Set(coming.map(({ name }) => name));
  const sources = new Set(coming.flatMap(({ source }) => source?.name ?? []));
  const replaced = there.filter(({ name }) => names.has(name));
  const touched = new Set(
    [...coming, ...replaced, ...obsolete].flatMap(({ offers }) => offers.map(({ name }) => name)),
  );
  const others = there.filter(({ name, source }) => !names.has(name) && source !== null && !sources.has(source.name));
  const older = new Set(beyondNewest(others, 1, compare));
  return others.filter((one) => !older.has(one) && one.needs.flat().some(({ name }) => touched.has(name)));
}
