import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';
import { printable } from '../source.ts';

const script = `${places.home}/compare-trees`;

/**
 * Compares the tree (`$1`) with what its source package unpacks to, and says how each file differs: in content, or in
 * whether it can be run. What the source formats do by themselves is none: patches are applied or not, `.pc` tells of
 * them, dpkg-source packs neither `debian/files` nor its own local settings, and has `debian/rules` run in any case.
 */
export const compare = `set -eu
export LC_ALL=C
links='for each; do printf "link-%s  %s\\0" "$(readlink "$each" | sha256sum | cut -c 1-64)" "$each"; done'
files() {
  find . -name .git -prune -o -path ./.pc -prune -o -path ./debian/files -o -path ./debian/files.new \\
    -o -path './debian/source/local-*' -o -type f "$@" -print0 | xargs -0 -r sha256sum -z --
}
list() (
  cd "$1"
  files '(' ! -perm /111 -o -path ./debian/rules ')'
  files -perm /111 ! -path ./debian/rules | sed -z 's/^/x/'
  find . -name .git -prune -o -path ./.pc -prune -o -type l -exec sh -c "$links" sh {} +
)
contents() { sed -z 's/^x//' "$1" | sort -zu; }
names() { sed -z 's/^[^ ]*  \\.\\///' "$1" | sort -zu; }
lists=$(mktemp -d)
list "$1" > "$lists/commit"
list tree > "$lists/patched"
if [ -s tree/debian/patches/series ] || [ -d tree/.pc ]; then
  dpkg-source --skip-patches --extract "$2" unpatched > /dev/null 2>&1
  list unpatched > "$lists/unpatched"
  rm -rf unpatched
else
  cp "$lists/patched" "$lists/unpatched"
fi
cd "$lists"
sort -zu -o commit commit
sort -zu patched unpatched > package
for each in commit patched unpatched package; do names "$each" > "$each.names"; done
comm -z -23 commit package > differs
names differs > differs.names
comm -z -23 differs.names package.names | sed -z 's/^/lacks /'
contents commit > commit.contents
contents package | comm -z -23 commit.contents - > other
names other > other.names
comm -z -12 other.names package.names | sed -z 's/^/changes /'
comm -z -12 differs.names package.names | comm -z -23 - other.names | sed -z 's/^/turns /'
comm -z -12 patched.names unpatched.names | comm -z -23 - commit.names | sed -z 's/^/adds /'
rm -rf "$lists"
`;

/**
 * Holds the source package, unpacked as `tree` in the work directory, against the tree of the commit.
 *
 * @param description name of the `.dsc` file.
 * @throws BuildProblem that names the files that differ.
 */
export async function assertComplete(description: string, room: Room): Promise<void> {
  await placeFile(room, script, compare);
  const said = await room.build('source package', ['sh', script, places.source, description], {
    cwd: places.work,
    quiet: true,
  });
  const wanted = await room.build('source package', ['sh', '-c', chosen], { cwd: places.source, quiet: true });
  const { problem, notes } = judge(said, wanted.includes('yes'));
  for (const note of notes) room.context.log.write(`${note}\n`);
  if (problem !== null) throw new BuildProblem(problem);
}

/** A package may itself have dpkg-source leave files out. */
const chosen = `grep -qsE '^[[:space:]]*(tar-ignore|(extend-)?diff-ignore)' debian/source/options debian/source/local-options &&
  echo yes || echo no`;

/** Names that one message has. */
const named = 5;

/**
 * What the differences of a commit's tree and its source package come to.
 *
 * @param said `lacks NAME`, `changes NAME`, `turns NAME` (its mode) or `adds NAME`, each with a NUL behind it.
 * @param chosen whether the package's own `debian/source/options` leave files out.
 */
export function judge(
  said: string,
  chosen: boolean,
): { readonly problem: string | null; readonly notes: readonly string[] } {
  const found = said.split('\0').flatMap((line): (readonly [string, string])[] => {
    const [, kind, name] = /^(lacks|changes|turns|adds) ([\s\S]+)$/.exec(line) ?? [];
    return kind === undefined || name === undefined ? [] : [[kind, printable(name)]];
  });
  const of = (kind: string) => found.filter(([one]) => one === kind).map(([, name]) => name);
  const lacks = of('lacks');
  const notes = chosen && lacks.length > 0 ? [`left out, as debian/source/options asks: ${lacks.join(', ')}`] : [];
  const parts = [
    ...(chosen ? [] : tell('does not have', lacks)),
    ...tell('has another', of('changes')),
    ...tell('has another mode of', of('turns')),
    ...tell('has besides', of('adds')),
  ];
  const problem = parts.length === 0 ? null : `the source package differs from the commit: it ${parts.join('; it ')}`;
  return { problem, notes };
}

function tell(verb: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > named ? ` and ${names.length - named} more` : '';
  return [`${verb} ${names.slice(0, named).join(', ')}${more}`];
}
