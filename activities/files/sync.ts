import { closeSync, type Dirent, fsync, openSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const settled = promisify(fsync);

/** File systems that cannot wait for a directory say one of these: they have no need, or no way. */
const cannot = new Set(['EINVAL', 'ENOTSUP', 'EISDIR']);

/** Waits until the disk has the file's content, or a directory's entries. */
export async function sync(path: string): Promise<void> {
  const file = openSync(path, 'r');
  try {
    await settled(file);
  } catch (error) {
    if (!cannot.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    closeSync(file);
  }
}

/** Waits until the disk has the name of a file: the entry in its directory. */
export function syncName(path: string): Promise<void> {
  return sync(dirname(path));
}

/** How many files are waited for at once: the disk writes them together. */
const together = 32;

/**
 * Waits until the disk has a tree, all files and directories of it; links are entries of their directories.
 *
 * @param before a tree that was waited for already: what the new one shares with it need not be waited for again.
 * @param except directories below, relative to it, that are not looked into
 */
export async function syncTree(
  root: string,
  before: string | null = null,
  except: readonly string[] = [],
): Promise<void> {
  const shared = before === null ? [] : entriesBelow(before, except);
  const entries = entriesBelow(root, except);
  const known = new Set(filesOf(shared).map(({ inode }) => inode));
  const files = filesOf(entries)
    .filter(({ inode }) => !known.has(inode))
    .map(({ path }) => path);
  const directories = entries.filter((entry) => entry.isDirectory()).map(pathOf);
  await inLots([...files, ...directories, root], sync);
}

/** Waits until the disk has some paths below a tree, or knows that they are gone, with all directories on the way. */
export async function syncBranches(root: string, paths: readonly string[]): Promise<void> {
  const wanted = new Set(paths.map((path) => join(root, path)));
  for (const path of wanted) if (dirname(path).length > root.length) wanted.add(dirname(path));
  await inLots([...wanted], (path) =>
    sync(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    }),
  );
}

/** A turn of the event loop for each takes longer than the look. @param except relative to the root */
function entriesBelow(root: string, except: readonly string[]): readonly Dirent[] {
  const entries = readdirSync(root, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory() && !except.includes(entry.name));
  const found = below.map((entry) => {
    const inside = except.flatMap((path) =>
      path.startsWith(`${entry.name}/`) ? path.slice(entry.name.length + 1) : [],
    );
    const whole = inside.length === 0;
    return whole
      ? readdirSync(pathOf(entry), { recursive: true, withFileTypes: true })
      : entriesBelow(pathOf(entry), inside);
  });
  return [...entries, ...found.flat()];
}

function pathOf(entry: Dirent): string {
  return join(entry.parentPath, entry.name);
}

function filesOf(entries: readonly Dirent[]): readonly { readonly path: string; readonly inode: number }[] {
  const paths = entries.filter((entry) => entry.isFile()).map(pathOf);
  return paths.map((path) => ({ path, inode: statSync(path).ino }));
}

async function inLots<T>(paths: readonly string[], work: (path: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < paths.length; at += together) {
    done.push(...(await Promise.all(paths.slice(at, at + together).map(work))));
  }
  return done;
}
