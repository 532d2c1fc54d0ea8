import type { z } from 'zod';

/** How a schema is asked, so that `faultsOf` and the like can say what was found, and which key may have been meant. */
export const asking = { reportInput: true, error: keysThere } as const;

/** The message about keys that are not known is the keys that there are: the library says neither them nor the schema. */
function keysThere({ code, inst }: z.core.$ZodRawIssue): string | undefined {
  if (code !== 'unrecognized_keys') return undefined;
  const { shape = {} } = (inst?._zod.def ?? {}) as { readonly shape?: object };
  return Object.keys(shape).join(' ');
}

/**
 * What is added to a message about a key that is not known: which one may have been meant, if any is near.
 *
 * @param issue of a schema that was asked with `asking`
 */
export function meant(key: string, { message }: z.core.$ZodIssue): string {
  const most = key.length < 4 ? 1 : 2;
  const near = message
    .split(' ')
    .map((name) => ({ name, away: distance(key, name) }))
    .filter(({ name, away }) => away <= most && away < name.length / 2)
    .sort((a, b) => a.away - b.away)[0];
  return near === undefined ? '' : ` (did you mean "${near.name}"?)`;
}

/** Letters to put in, leave out, change, or swap with the next, to make one of the other. */
function distance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 2) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const changed = (last[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swaps = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = swaps ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(changed, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [before, last] = [last, row];
  }
  return last[other.length] ?? 0;
}
