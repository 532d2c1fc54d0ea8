import { git } from './git.ts';
import { checkRevision } from './names.ts';
import { readObjects } from './objects.ts';

/** A text file of a commit. */
export interface TreeFile {
  readonly path: string;
  readonly text: string;
}

/** Largest file that is read into memory, in bytes. */
const largest = 10 * 1024 * 1024;

/**
 * Reads the regular files below the given paths (files or directories) of a commit, in order of path. Links and
 * submodules are left out.
 *
 * @throws an error that names a file of more than 10 MiB.
 */
export async function readTree(repo: string, commit: string, paths: readonly string[]): Promise<TreeFile[]> {
  const args = ['ls-tree', '-r', '-z', '-l', '--full-tree', checkRevision(commit), '--', ...paths];
  const entries = (await git(repo, args)).split('\0').flatMap(parseEntry);
  const huge = entries.find(({ size }) => size > largest);
  if (huge) throw new Error(`${huge.path} is larger than 10 MiB: it is not read as configuration`);
  const objects = await readObjects(
    repo,
    entries.map(({ id }) => id),
  );
  return entries.map(({ path }, index) => ({
    path,
    text: Buffer.from(objects[index]?.content ?? '', 'latin1').toString('utf8'),
  }));
}

/** `MODE ID` of what is at the root of a commit, by name; read without a process of its own. */
export async function readRoot(repo: string, commit: string): Promise<ReadonlyMap<string, string>> {
  const [tree] = await readObjects(repo, [`${checkRevision(commit)}^{tree}`]);
  if (!tree) throw new Error(`${repo} has no commit ${commit}`);
  return new Map(parseTree(tree).map(({ mode, name, id }) => [name, `${mode} ${id}`]));
}

export interface TreeEntry {
  /** Octal, as Git writes it: `40000` for a folder. */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

/**
 * The entries of a tree as Git keeps it: `MODE NAME NUL ID`, the id in bytes.
 *
 * @param names `latin1`: a character for each byte, for who writes them again.
 */
export function parseTree(
  { id: own, content }: { readonly id: string; readonly content: string },
  names: 'utf8' | 'latin1' = 'utf8',
): TreeEntry[] {
  const idLength = own.length / 2;
  const found: TreeEntry[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(' ', at);
    const end = content.indexOf('\0', space);
    const next = end + 1 + idLength;
    const id = Buffer.from(content.slice(end + 1, next), 'latin1').toString('hex');
    const name = Buffer.from(content.slice(space + 1, end), 'latin1').toString(names);
    found.push({ mode: content.slice(at, space), name, id });
    at = next;
  }
  return found;
}

function parseEntry(line: string): { path: string; id: string; size: number }[] {
  const [, id, size, path] = /^100\d+ blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(line) ?? [];
  return id === undefined || path === undefined ? [] : [{ id, path, size: Number(size) }];
}

/** Paths that differ between two commits, old names of renamed files included. `base` null: every path. */
export async function changedFiles(repo: string, base: string | null, commit: string): Promise<string[]> {
  const args =
    base === null
      ? ['ls-tree', '-r', '-z', '--name-only', '--full-tree', checkRevision(commit)]
      : ['diff-tree', '-r', '-z', '--name-only', '--no-renames', checkRevision(base), checkRevision(commit)];
  return (await git(repo, args)).split('\0').filter((path) => path !== '');
}
