import { printable } from './source.ts';

/**
 * Functions of a shell script that compares two trees by lists of theirs: an entry is a file's digest (with an `x` before
 * it where it can be run) or that of a link's text, and its name, each with a NUL behind it.
 */
export const treeFunctions = `set -eu
export LC_ALL=C
links='for each; do printf "link-%s  %s\\0" "$(readlink "$each" | sha256sum | cut -c 1-64)" "$each"; done'
contents() { sed -z 's/^x//' "$1" | sort -zu; }
names() { sed -z 's/^[^ ]*  \\.\\///' "$1" | sort -zu; }
# What becomes of the entries of the list $1 in the list $2, both sorted.
differences() {
  names "$1" > expected.names
  names "$2" > package.names
  comm -z -23 "$1" "$2" > differs
  names differs > differs.names
  comm -z -23 differs.names package.names | sed -z 's/^/lacks /'
  contents "$1" > expected.contents
  contents "$2" | comm -z -23 expected.contents - > other
  names other > other.names
  comm -z -12 other.names package.names | sed -z 's/^/changes /'
  comm -z -12 differs.names package.names | comm -z -23 - other.names | sed -z 's/^/turns /'
}
# What the second list has besides.
additions() { comm -z -13 expected.names package.names | sed -z 's/^/adds /'; }
`;

/** `turns`: its mode, for what can be run is told apart. */
type DifferenceKind = 'lacks' | 'changes' | 'turns' | 'adds';

/** How a source package differs from the commit in one file. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** As it may stand in a message. */
  readonly name: string;
}

/** Reads what such a script says: `KIND NAME`, each with a NUL behind it. */
export function readDifferences(said: string): readonly Difference[] {
  return said.split('\0').flatMap((line): Difference[] => {
    const [, kind, name] = /^(lacks|changes|turns|adds) ([\s\S]+)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ kind: kind as DifferenceKind, name: printable(name) }];
  });
}

const verbs: Readonly<Record<DifferenceKind, string>> = {
  lacks: 'does not have',
  changes: 'has another',
  turns: 'has another mode of',
  adds: 'has besides',
};

/** Names that one message has. */
const named = 5;

/** The differences that no rule allows, in one line; null when there are none. */
export function tellDifferences(differences: readonly Difference[]): string | null {
  const kinds = Object.entries(verbs) as [DifferenceKind, string][];
  const parts = kinds.flatMap(([kind, verb]) => {
    const names = differences.filter((each) => each.kind === kind).map(({ name }) => name);
    if (names.length === 0) return [];
    const more = names.length > named ? ` and ${names.length - named} more` : '';
    return [`${verb} ${names.slice(0, named).join(', ')}${more}`];
  });
  return parts.length === 0 ? null : `the source package differs from the commit: it ${parts.join('; it ')}`;
}
