import type { Size } from './capacity.ts';

/** What a machine of a provider can be, by name: a cloud's flavors. */
export type InstanceTypes = Readonly<Record<string, Pick<Size, 'cores' | 'ramGb'>>>;

/**
 * The smallest type that has at least what is asked for: the one with the fewest cores, of those the one with the least
 * memory. Null: none has as much.
 */
export function smallestType(types: InstanceTypes, { cores, ramGb }: Pick<Size, 'cores' | 'ramGb'>): string | null {
  const [smallest] = Object.entries(types)
    .filter(([, type]) => type.cores >= cores && type.ramGb >= ramGb)
    .sort(([, a], [, b]) => a.cores - b.cores || a.ramGb - b.ramGb);
  return smallest?.[0] ?? null;
}
