import type { ListedEntry } from './listing.ts';

/** Where a path leads once the links on the way are followed, or what stands in the way. */
export type Way = { readonly path: string } | { readonly blocked: string };

/** Links that are followed before it counts as a circle. */
const most = 20;

/**
 * Follows the links of a mirror as its system will, without leaving the root: what is not listed counts as a directory
 * that is still to be made.
 *
 * @param last `kept`: the last part is a link of ours, and not followed itself.
 */
export function followWay(entries: readonly ListedEntry[], path: string, last: 'followed' | 'kept'): Way {
  const known = new Map(entries.map((entry) => [entry.name, entry]));
  const ahead = path.split('/');
  const done: string[] = [];
  for (let followed = 0; ahead.length > (last === 'kept' ? 1 : 0); ) {
    const part = ahead.shift() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (done.pop() === undefined) return { blocked: `${path} leads out of the root` };
      continue;
    }
    done.push(part);
    const place = done.join('/');
    const entry = known.get(place);
    if (entry === undefined || entry.kind === 'directory') continue;
    if (entry.kind !== 'link') return { blocked: `${place} is a ${entry.kind}, not a directory` };
    const target = entry.target ?? '';
    followed += 1;
    if (followed > most) return { blocked: `${place} is a link that leads to itself` };
    if (target.startsWith('/')) return { blocked: `${place} is a link to ${target}, which is not below the root` };
    done.pop();
    ahead.unshift(...target.split('/'));
  }
  return { path: [...done, ...ahead].join('/') };
}

/** Every directory on the way to a path, outermost first, the path itself left out. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, position) => parts.slice(0, position + 1).join('/'));
}

/** Whether a path is one of these folders, or below one. */
export function isIn(folders: readonly string[], path: string): boolean {
  return folders.some(
    (folder) => path.startsWith(folder) && (path.length === folder.length || path[folder.length] === '/'),
  );
}
