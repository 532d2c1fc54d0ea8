import { git } from './git.ts';
import { checkRevision } from './names.ts';
import { readObjects } from './objects.ts';
import { SourceFault } from './source-fault.ts';
import { parseTree, type TreeEntry } from './tree.ts';

/** What a commit is when it is checked out. */
export interface Extent {
  readonly files: number;
  readonly bytes: number;
}

/** What a checkout may be: more than any distribution's sources have. A few kilobytes of objects can name a billion files. */
const most: Extent = { files: 2_000_000, bytes: 64 * 1024 ** 3 };

/**
 * Looks at what a checkout would be, without making it: each tree is read once, however often it is named.
 *
 * @param commits the commit, and those of its submodules
 * @throws SourceFault for one that is larger than any sources are
 */
export async function requireModest(repo: string, commits: readonly string[], limits: Extent = most): Promise<void> {
  let [files, bytes] = [0, 0];
  for (const commit of commits) {
    const extent = await extentOf(repo, commit);
    [files, bytes] = [files + extent.files, bytes + extent.bytes];
  }
  if (files <= limits.files && bytes <= limits.bytes) return;
  throw new SourceFault(
    `${commits[0]} would have ${files} files of ${bytes} bytes: more than ${limits.files} files or ${limits.bytes} bytes are not checked out`,
  );
}

async function extentOf(repo: string, commit: string): Promise<Extent> {
  const [root] = await readObjects(repo, [`${checkRevision(commit)}^{tree}`]);
  if (!root) throw new Error(`${repo} has no commit ${commit}`);
  const trees = new Map<string, readonly TreeEntry[]>([[root.id, parseTree(root)]]);
  for (let fresh = [root.id]; fresh.length > 0; ) {
    const below = fresh.flatMap((id) => (trees.get(id) ?? []).filter(isFolder).map((entry) => entry.id));
    const missing = [...new Set(below)].filter((id) => !trees.has(id));
    for (const object of await readObjects(repo, missing)) if (object) trees.set(object.id, parseTree(object));
    fresh = missing.filter((id) => trees.has(id));
  }
  const blobs = [
    ...new Set(
      [...trees.values()]
        .flat()
        .filter(isFile)
        .map((entry) => entry.id),
    ),
  ];
  return add(root.id, trees, await sizesOf(repo, blobs));
}

async function sizesOf(repo: string, blobs: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const input = blobs.map((id) => `${id}\n`).join('');
  const text = await git(repo, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], { input });
  return new Map(text.split('\n').map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1] ?? 0)]));
}

function add(
  root: string,
  trees: ReadonlyMap<string, readonly TreeEntry[]>,
  sizes: ReadonlyMap<string, number>,
): Extent {
  const known = new Map<string, Extent>();
  const sum = (id: string): Extent => {
    const before = known.get(id);
    if (before) return before;
    let [files, bytes] = [0, 0];
    for (const entry of trees.get(id) ?? []) {
      const one = isFolder(entry) ? sum(entry.id) : { files: 1, bytes: sizes.get(entry.id) ?? 0 };
      files += one.files;
      bytes += one.bytes;
    }
    known.set(id, { files, bytes });
    return { files, bytes };
  };
  return sum(root);
}

function isFolder({ mode }: TreeEntry): boolean {
  return mode === '40000';
}

/** A submodule has no object here. */
function isFile({ mode }: TreeEntry): boolean {
  return mode.startsWith('1') && mode !== '160000';
}
