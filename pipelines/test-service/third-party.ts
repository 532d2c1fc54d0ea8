/** Tests of others in a Git repository. */
export interface TestSource {
  readonly url: string;
  /** Branch, tag or ref. */
  readonly ref: string;
  /** Folder of the tests, relative; empty for the whole tree. */
  readonly directory: string;
  /** The tests to run, by name; empty: all. */
  readonly only: readonly string[];
}

/** Which tests of a tree are meant, wherever the tree is from. */
export type ChosenTests = Pick<TestSource, 'directory' | 'only'>;

/** A test: a file of the folder, or a folder in it with the files that it runs, in order. */
export interface ThirdPartyTest {
  readonly name: string;
  /** Relative to the tree. */
  readonly files: readonly string[];
}

/** What makes the system ready for the tests comes before them. */
const first = ['0_init', '0_install'] as const;

/** Programs by the ending of the file that they run; what has none of these is run by itself. */
const executors: Readonly<Record<string, readonly string[]>> = {
  bats: ['bats', '--tap'],
  sh: ['bash'],
  bash: ['bash'],
  py: ['python3'],
  yml: ['ansible-playbook', '--connection=local', '--inventory=localhost,'],
  yaml: ['ansible-playbook', '--connection=local', '--inventory=localhost,'],
};

/** Names of tests that a message lists. */
const listed = 20;

/** Files beside tests that are none. */
const aside = /(^|\/)(\.[^/]*|README[^/]*|LICENSE[^/]*|[^/]*\.(md|txt|json|cfg|conf))$/;

/**
 * The tests among the files of a tree, in the order in which they run: `0_init`, `0_install`, then by name.
 *
 * @param paths of all regular files of the tree
 */
export function testsAmong(paths: readonly string[], { directory, only }: ChosenTests): readonly ThirdPartyTest[] {
  const prefix = directory === '' ? '' : `${directory}/`;
  const tests = new Map<string, string[]>();
  for (const path of [...paths].sort(byPlace)) {
    if (!path.startsWith(prefix) || aside.test(path)) continue;
    const [name = ''] = path.slice(prefix.length).split('/');
    if (only.length > 0 && !only.includes(name) && !preparesTests(name)) continue;
    tests.set(name, [...(tests.get(name) ?? []), path]);
  }
  const all = [...tests].map(([name, files]) => ({ name, files }));
  return all.sort((a, b) => byPlace(a.name, b.name));
}

/**
 * Why those that are asked for by name cannot all run, in one line; null where they can.
 *
 * @param paths of all regular files of the tree
 */
export function missingTests(paths: readonly string[], source: ChosenTests): string | null {
  const there = testsAmong(paths, { ...source, only: [] }).map(({ name }) => name);
  if (there.length === 0) return `there are no tests in ${source.directory || 'the repository'}`;
  const missing = source.only.filter((name) => !there.includes(name));
  if (missing.length === 0) return null;
  const known = there.length > listed ? [...there.slice(0, listed), '…'] : there;
  return `there is no test ${missing.join(', ')}; there are: ${known.join(', ')}`;
}

/**
 * Names for files of tests, each its own: `TEST`, of a test with several files `TEST_FILE`; where that would be another's,
 * the path in the folder of the tests, and with the source's position before it where that is another's, too.
 *
 * @param tests of the source
 * @param index the source's position among the task's
 * @param taken names that others have, as `flat` writes them; those that are given are added
 * @returns by the file's path in the tree
 */
export function namesOfFiles(
  tests: readonly ThirdPartyTest[],
  { directory, index }: Pick<TestSource, 'directory'> & { readonly index: number },
  taken: Set<string>,
): ReadonlyMap<string, string> {
  const all = tests.flatMap(({ name, files }) =>
    files.map((file) => ({ file, short: files.length === 1 ? name : `${name}_${file.split('/').at(-1)}` })),
  );
  const names = new Map<string, string>();
  for (const { file, short } of all) {
    const isOwn = all.filter((one) => one.short === short).length === 1;
    let name = isOwn ? short : file.slice(directory === '' ? 0 : directory.length + 1);
    while (taken.has(flat(name))) name = `${index}_${name}`;
    taken.add(flat(name));
    names.set(file, name);
  }
  return names;
}

/** A name as that of a file. */
function flat(name: string): string {
  return name.replaceAll('/', '_');
}

/** Whether a test, or a file of one, makes the system ready: it may reach out. */
export function preparesTests(name: string): boolean {
  return placeOf(name) < first.length;
}

function byPlace(a: string, b: string): number {
  return placeOf(a) - placeOf(b) || (a < b ? -1 : Number(a > b));
}

function placeOf(path: string): number {
  const name = path.split('/').at(-1)?.replaceAll('-', '_') ?? '';
  const found = first.findIndex((one) => name.startsWith(one));
  return found < 0 ? first.length : found;
}

/** The program that runs a file; undefined for one that is run by itself, by its first line. */
export function executorOf(path: string): readonly string[] | undefined {
  return executors[/\.([a-z]+)$/.exec(path)?.[1] ?? ''];
}
