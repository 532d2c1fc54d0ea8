import type { ListedPackage, PackageId } from './port.ts';

/** Packages of `after` that `before` has not, and the other way round, in a fixed order. */
export function comparePackages(
  before: readonly ListedPackage[],
  after: readonly ListedPackage[],
): { readonly added: readonly PackageId[]; readonly removed: readonly PackageId[] } {
  return { added: without(after, before), removed: without(before, after) };
}

function without(list: readonly ListedPackage[], other: readonly ListedPackage[]): PackageId[] {
  const known = new Set(other.map(keyOf));
  return list
    .filter((one) => !known.has(keyOf(one)))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map(({ name, version, arch }) => ({ name, version, arch }));
}

function keyOf({ name, version, arch }: PackageId): string {
  return `${name}\t${version}\t${arch}`;
}
