import { readDifferences, tellDifferences, treeFunctions } from '../differences.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';

const script = `${places.home}/compare-trees`;

/**
 * Compares the tree (`$1`) with what its source package unpacks to, and says how each file differs: in content, or in
 * whether it can be run. What the source formats do by themselves is none: patches are applied or not, `.pc` tells of
 * them, dpkg-source packs neither `debian/files` nor its own local settings, and has `debian/rules` run in any case.
 */
export const compare = `${treeFunctions}
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
for each in commit patched unpatched; do names "$each" > "$each.names"; done
differences commit package
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

/**
 * What the differences of a commit's tree and its source package come to.
 *
 * @param said see `readDifferences`.
 * @param chosen whether the package's own `debian/source/options` leave files out.
 */
export function judge(
  said: string,
  chosen: boolean,
): { readonly problem: string | null; readonly notes: readonly string[] } {
  const found = readDifferences(said);
  const lacks = found.filter(({ kind }) => chosen && kind === 'lacks');
  const left = lacks.map(({ name }) => name).join(', ');
  const notes = lacks.length > 0 ? [`left out, as debian/source/options asks: ${left}`] : [];
  return { problem: tellDifferences(found.filter((one) => !lacks.includes(one))), notes };
}
