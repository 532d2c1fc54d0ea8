import { posix } from 'node:path';
import type { ListedEntry } from '../../../pipelines/mirror/listing.ts';
import type { Listing } from '../transport.ts';
import { each } from './each.ts';
import type { Remote } from './remote.ts';
import { isRefusal } from './session.ts';

/** Everything below a directory, by paths below it. @throws MirrorError where the directory itself cannot be read. */
export async function listBelow(remote: Remote, directory: string, closed?: string): Promise<Listing> {
  const entries: ListedEntry[] = [];
  const unread: string[] = [];
  // Directories of one depth at a time, so that outer ones come first.
  for (let next = ['']; next.length > 0; ) {
    const inner: string[] = [];
    await each(next, async (path) => {
      const found = await listOne(remote, directory, path).catch((error) => {
        if (path === '' || !isRefusal(error)) throw error;
        unread.push(error.message);
        return [];
      });
      entries.push(...found);
      const open = found.filter(({ kind }) => kind === 'directory' && (closed === undefined || path !== closed));
      inner.push(...open.map(({ name }) => name));
    });
    next = inner;
  }
  return { entries, unread: unread[0] ?? null };
}

async function listOne(remote: Remote, directory: string, path: string): Promise<ListedEntry[]> {
  const found = await remote.names(posix.join(directory, path));
  return Promise.all(
    found.map(async (entry) => {
      const name = posix.join(path, entry.name);
      const target = entry.kind === 'link' ? await remote.readLink(posix.join(directory, name)) : null;
      return { ...entry, name, target };
    }),
  );
}

/** Removes paths below a directory with all that they hold; what is not there is no error. */
export async function removeBelow(remote: Remote, directory: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const place = posix.join(directory, path);
    const found = await remote.look(place);
    if (found === null) continue;
    if (found.kind !== 'directory') {
      await remote.removeFile(place);
      continue;
    }
    const { entries } = await listBelow(remote, place);
    const [folders, others] = [entries.filter(isDirectory), entries.filter((entry) => !isDirectory(entry))];
    await each(others, ({ name }) => remote.removeFile(posix.join(place, name)));
    await removeFolders(remote, place, folders);
    await remote.removeDirectory(place);
  }
}

/** Directories of one depth at a time, the inner ones first. */
async function removeFolders(remote: Remote, place: string, folders: readonly ListedEntry[]): Promise<void> {
  const byDepth = Map.groupBy(folders, ({ name }) => name.split('/').length);
  for (const [, some] of [...byDepth].sort(([a], [b]) => b - a)) {
    await each(some, ({ name }) => remote.removeDirectory(posix.join(place, name)));
  }
}

function isDirectory({ kind }: ListedEntry): boolean {
  return kind === 'directory';
}

/** Makes a directory below the root and those on the way, the root as well; what is there keeps its mode. */
export async function makeDirectories(remote: Remote, path: string): Promise<void> {
  const way: string[] = [];
  for (let place = path; !(await stands(remote, place)); place = posix.join(place, '..')) way.unshift(place);
  for (const place of way) if (await remote.makeDirectory(place)) await remote.set(place, { mode: 0o755 });
}

/** A link on the way counts as what it leads to. */
function stands(remote: Remote, path: string): Promise<boolean> {
  return remote.look(path).then((found) => found !== null);
}
