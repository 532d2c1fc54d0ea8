import { createHash } from 'node:crypto';
import { readDifferences, tellDifferences, treeFunctions } from '../differences.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';

const script = `${places.home}/compare-source`;
const expectedList = `${places.home}/expected`;

/**
 * `list`: notes what is in the tree `$2` in the file `$3`. `compare`: says how the source package `$2` differs from the list
 * `$3` of its files, and the archive `$5` in it, below the folder `$6` there, from the list `$4` of the commit's.
 */
export const compare = `${treeFunctions}
list() (
  cd "$1"
  find . -type f ! -perm /111 -print0 | xargs -0 -r sha256sum -z --
  find . -type f -perm /111 -print0 | xargs -0 -r sha256sum -z -- | sed -z 's/^/x/'
  find . -type l -exec sh -c "$links" sh {} +
)
if [ "$1" = list ]; then
  list "$2" | sort -zu > "$3"
  exit 0
fi
work=$(mktemp -d)
cd "$work"
mkdir unpacked database tree
rpm --install --nodeps --dbpath "$work/database" --define "_sourcedir $work/unpacked" --define "_specdir $work/unpacked" "$2" > said 2>&1 ||
  { cat said; exit 1; }
if [ -n "$5" ] && [ -f "unpacked/$5" ]; then
  tar --extract --preserve-permissions --file="unpacked/$5" --directory=tree
  rm -- "unpacked/$5"
  list "tree/$6" | sort -zu > packed
  differences "$4" packed
  additions
elif [ -n "$5" ]; then
  printf 'lacks %s\\0' "$5"
fi
list unpacked | sort -zu > unpacked.list
sort -zu "$3" > files
differences files unpacked.list
additions
cd /
rm -rf "$work"
`;

const commitList = `${places.home}/commit`;

/** Notes what is in the tree, before anything of the package has run: a spec's macros may write where they are. */
export async function noteTree(room: Room): Promise<void> {
  await placeFile(room, script, compare);
  await room.build('source package', ['sh', script, 'list', places.source, commitList], { quiet: true });
}

/** A file of a source package, as it is to be. */
export interface ExpectedFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly executable: boolean;
}

/** An archive that was made of the tree. */
interface GeneratedArchive {
  readonly name: string;
  /** Its top directory; empty for none. */
  readonly directory: string;
  /** Whether the configure script was made for it, as upstream's own would have it. */
  readonly configured: boolean;
}

/** What a source package is to hold. */
export interface ExpectedSource {
  readonly files: readonly ExpectedFile[];
  readonly archive: GeneratedArchive | null;
  /** Whether the spec itself keeps files out of it (`NoSource`, `NoPatch`). */
  readonly withheld: boolean;
}

/**
 * Holds a source package against what it is to hold, and the archive that was generated for it against the tree that
 * `noteTree` saw.
 *
 * @param path of the package, in the machine.
 * @throws BuildProblem that names the files that differ.
 */
export async function assertComplete(path: string, expected: ExpectedSource, room: Room): Promise<void> {
  await placeFile(room, expectedList, expected.files.map(entry).join(''));
  const { name = '', directory = '' } = expected.archive ?? {};
  const argv = ['sh', script, 'compare', path, expectedList, commitList, name, directory];
  const { problem, notes } = judge(await room.build('source package', argv, { quiet: true }), expected);
  for (const note of notes) room.context.log.write(`${note}\n`);
  if (problem !== null) throw new BuildProblem(problem);
}

function entry({ name, content, executable }: ExpectedFile): string {
  return `${executable ? 'x' : ''}${createHash('sha256').update(content).digest('hex')}  ./${name}\0`;
}

/**
 * What the differences come to.
 *
 * @param said see `readDifferences`.
 */
export function judge(
  said: string,
  { archive, withheld }: Pick<ExpectedSource, 'archive' | 'withheld'>,
): { readonly problem: string | null; readonly notes: readonly string[] } {
  const found = readDifferences(said);
  const isMade = (kind: string) => archive?.configured === true && kind !== 'lacks';
  const kept = found.filter(({ kind }) => kind === 'lacks' && withheld);
  const made = found.filter(({ kind }) => isMade(kind));
  const tell = (text: string, of: typeof found) =>
    of.length === 0 ? [] : [`${text}: ${of.map(({ name }) => name).join(', ')}`];
  return {
    problem: tellDifferences(found.filter((one) => !kept.includes(one) && !made.includes(one))),
    notes: [...tell('left out, as NoSource or NoPatch asks', kept), ...tell('made by autoreconf', made)],
  };
}
