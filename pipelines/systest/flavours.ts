import { matchesWhole } from '../policy/pattern.ts';

/** Sets of packages, by patterns of their names in which `*` stands for any characters. */
export type Flavours = Readonly<Record<string, readonly string[]>>;

/** The flavours of which at least one package is there. */
export function flavoursOf(flavours: Flavours, packages: readonly string[]): ReadonlySet<string> {
  const present = Object.entries(flavours).filter(([, patterns]) => {
    const expressions = patterns.map((pattern) => pattern.replace(/[.+]/g, '\\$&').replaceAll('*', '.*'));
    return packages.some((name) => expressions.some((expression) => matchesWhole(expression, name)));
  });
  return new Set(present.map(([flavour]) => flavour));
}
