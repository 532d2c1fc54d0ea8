/** A version of a package, as a repository names it. */
export interface PackageVersion {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** Below, at, or above 0, as with the format's own tools. */
type Compare = (a: string, b: string) => number;

/** All but the `keep` newest versions of each package, told apart by name and architecture, in their order. */
export function beyondNewest<T extends PackageVersion>(packages: readonly T[], keep: number, compare: Compare): T[] {
  const beyond = new Set<T>();
  for (const group of Map.groupBy(packages, placeOf).values()) {
    const newestFirst = group.toSorted((a, b) => compare(b.version, a.version));
    for (const one of newestFirst.slice(keep)) beyond.add(one);
  }
  return packages.filter((one) => beyond.has(one));
}

/** The first package that would come although a newer version of it is there; null where there is none. */
export function firstDowngrade<T extends PackageVersion, U extends PackageVersion>(
  coming: readonly T[],
  there: readonly U[],
  compare: Compare,
): { readonly older: T; readonly newer: U } | null {
  const known = Map.groupBy(there, placeOf);
  for (const older of coming) {
    const newer = known.get(placeOf(older))?.find(({ version }) => compare(version, older.version) > 0);
    if (newer !== undefined) return { older, newer };
  }
  return null;
}

function placeOf({ name, arch }: PackageVersion): string {
  return `${name} ${arch}`;
}
