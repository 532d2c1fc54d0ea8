import { readSourceControl } from './control.ts';

/** The architectures of all binary packages in a `debian/control`, each once: names, wildcards and `all`. */
export function architecturesOf(control: string): readonly string[] {
  const lists = readSourceControl(control).flatMap((each) =>
    each.Package === undefined ? [] : [each.Architecture ?? ''],
  );
  const names = lists.flatMap((list) => list.split(/\s+/)).filter((name) => /^[a-z0-9][a-z0-9-]*$/.test(name));
  return [...new Set(names)];
}

/**
 * Why a platform is none that a package is for, in one line; null when it is one.
 *
 * @param wanted of the binary packages.
 * @param platform dpkg's name of it, and those of the wanted architectures that mean it.
 */
export function exclusion(
  wanted: readonly string[],
  { machine, meant }: { readonly machine: string; readonly meant: readonly string[] },
): string | null {
  // `all` packages can be built anywhere; a package without the field is for dpkg to complain of.
  if (wanted.length === 0 || wanted.includes('all') || meant.length > 0) return null;
  return `excluded: its packages are for ${wanted.join(', ')}, and the platform is ${machine}`;
}
