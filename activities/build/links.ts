import { lstat, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { must } from '../process/run.ts';

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
  await must('cp', ['--archive', '--', join(directory, place.path), link]);
  const top = Buffer.from(place.path).toString('latin1');
  await redirect(Buffer.from(link), { top, folder: '' });
  return place.path;
}

/** A folder of a tree that was copied to the tree's own `debian`. Names have a character for each byte. */
interface Copied {
  /** What was copied. */
  readonly top: string;
  /** A folder below it; with a slash at its beginning, or empty. */
  readonly folder: string;
}

/** Has the links of the copy lead where those lead that were copied. */
async function redirect(directory: Buffer, { top, folder }: Copied): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([directory, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) await redirect(path, { top, folder: `${folder}/${entry.name.toString('latin1')}` });
    if (!entry.isSymbolicLink()) continue;
    const old = await readlink(path, 'latin1');
    const target = moved(old, { top, folder });
    if (target === old) continue;
    await rm(path);
    await symlink(Buffer.from(target, 'latin1'), path);
  }
}

/** A link's text in its new place. What leads out of the tree stays as it is. */
function moved(target: string, { top, folder }: Copied): string {
  const place = join(`${top}${folder}`, target);
  const stays = target.startsWith('/') || leaves(place) || `${place}/`.startsWith(`${top}/`);
  return stays ? target : relative(`/debian${folder}`, `/${place}`);
}
