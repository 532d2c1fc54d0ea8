import { cp, lstat, readlink, rm } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/** Where a path of a tree leads when its links are followed. `outside` names the link that leaves the tree. */
export type Place =
  | { readonly at: 'tree'; readonly path: string }
  | { readonly at: 'outside'; readonly link: string }
  | { readonly at: 'nowhere' };

/** As many as Linux follows. */
const mostLinks = 40;

/** Follows the links of a path, one component at a time, and looks at nothing that is not in the tree. */
export async function follow(directory: string, path: string): Promise<Place> {
  let done = '';
  let left = path.split('/').filter((part) => part !== '');
  for (let links = 0; left.length > 0; ) {
    const next = normalize(join(done, left[0] ?? ''));
    left = left.slice(1);
    if (leaves(next)) return { at: 'outside', link: path };
    const info = next === '.' ? null : await lstat(join(directory, next)).catch(() => null);
    if (info === null && next !== '.') return { at: 'nowhere' };
    if (!info?.isSymbolicLink()) {
      done = next;
      continue;
    }
    const target = await readlink(join(directory, next));
    if (target.startsWith('/') || leaves(normalize(join(dirname(next), target)))) return { at: 'outside', link: next };
    if (++links > mostLinks) return { at: 'nowhere' };
    done = dirname(next);
    left = [...target.split('/').filter((part) => part !== ''), ...left];
  }
  return { at: 'tree', path: done };
}

function leaves(path: string): boolean {
  return path === '..' || path.startsWith('../');
}

/**
 * Makes a `debian` that is a link to another folder of the tree that folder: dpkg-source takes no link there.
 *
 * @returns where it is in the commit; null when `debian` is no such link.
 */
export async function placeDebian(directory: string): Promise<string | null> {
  const link = join(directory, 'debian');
  if (!(await lstat(link).catch(() => null))?.isSymbolicLink()) return null;
  const place = await follow(directory, 'debian');
  if (place.at !== 'tree' || place.path === '.') return null;
  if (!(await lstat(join(directory, place.path))).isDirectory()) return null;
  await rm(link);
  await cp(join(directory, place.path), link, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return place.path;
}
