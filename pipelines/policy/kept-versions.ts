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

/** The packages that would come although newer versions of them are there, each with the newest. */
export function downgrades<T extends PackageVersion, U extends PackageVersion>(
  coming: readonly T[],
  there: readonly U[],
  compare: Compare,
): readonly { readonly older: T; readonly newer: U }[] {
  const known = Map.groupBy(there, placeOf);
  return coming.flatMap((older) => {
    const [newest] = (known.get(placeOf(older)) ?? []).toSorted((a, b) => compare(b.version, a.version));
    return newest !== undefined && compare(newest.version, older.version) > 0 ? [{ older, newer: newest }] : [];
  });
}

function placeOf({ name, arch }: PackageVersion): string {
  return `${name} ${arch}`;
}
