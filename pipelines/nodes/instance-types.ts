import type { NodeSize } from '../model/job.ts';
import type { Platform } from '../model/platform.ts';

/** What a machine of a provider can be, by name: a cloud's flavors. */
export type InstanceTypes = Readonly<Record<string, NodeSize>>;

/**
 * The smallest type that has at least what is asked for: the one with the fewest cores, of those the one with the least
 * memory. Null: none has as much.
 */
export function smallestType(types: InstanceTypes, { cores, ramGb }: NodeSize): string | null {
  const [smallest] = bySize(types).filter(([, type]) => type.cores >= cores && type.ramGb >= ramGb);
  return smallest?.[0] ?? null;
}

function bySize(types: InstanceTypes): readonly (readonly [string, NodeSize])[] {
  return Object.entries(types).sort(([, a], [, b]) => a.cores - b.cores || a.ramGb - b.ramGb);
}

/** What the nodes of a label can be. */
export interface LabelSizes {
  /** What a node has that asks for nothing; null: each is lent as it is, and has what it has. */
  readonly usual: NodeSize | null;
  /** What it can be instead; a text: why all are as usual. */
  readonly types: InstanceTypes | string;
}

/**
 * What a node has that asks for cores or memory; what it leaves out is as usual.
 *
 * @returns the size, null where it is as usual; or why there is none
 */
export function sizeOfNode(
  asked: { readonly cores?: number | undefined; readonly ramGb?: number | undefined },
  sizes: LabelSizes,
): { readonly size: NodeSize | null } | { readonly fault: string } {
  const { usual, types } = sizes;
  if (usual === null) return { fault: 'its machines have what they have: `cores` and `ramGb` cannot be asked for' };
  const { cores = usual.cores, ramGb = usual.ramGb } = asked;
  if (typeof types === 'string') {
    if (cores <= usual.cores && ramGb <= usual.ramGb) return { size: null };
    return { fault: `none has ${words({ cores, ramGb })}: all have ${words(usual)}, for ${types}` };
  }
  const type = smallestType(types, { cores, ramGb });
  if (type !== null) return { size: type === smallestType(types, usual) ? null : (types[type] ?? null) };
  const [name, largest] = bySize(types).at(-1) ?? ['', usual];
  return { fault: `no instance type has ${words({ cores, ramGb })}: the largest is ${name} with ${words(largest)}` };
}

/** A platform whose nodes have this size; absent: their own. */
export function sizedAs<P extends Pick<Platform, 'limits'>>(platform: P, size: NodeSize | undefined): P {
  if (size === undefined) return platform;
  return { ...platform, limits: { ...platform.limits, cpus: size.cores, memoryMiB: Math.floor(size.ramGb * 1024) } };
}

function words({ cores, ramGb }: NodeSize): string {
  return `${cores} ${cores === 1 ? 'core' : 'cores'} and ${ramGb} GB`;
}
