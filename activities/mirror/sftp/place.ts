import { posix } from 'node:path';
import type { SmallEntries } from '../transport.ts';
import { readText, writeText } from './content.ts';
import { each } from './each.ts';
import type { Remote } from './remote.ts';
import { isRefusal } from './session.ts';

/** Small files by path; what is not there, or cannot be read, is left out. */
export async function readTexts(remote: Remote, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await each(paths, async (path) => {
    const text = await readText(remote, path).catch((error) => {
      if (isRefusal(error)) return null;
      throw error;
    });
    if (text !== null) found.set(path, text);
  });
  return found;
}

/**
 * Puts entries in place where nothing stands yet; the server takes each of two who come together for one. Where it knows
 * links between files, nobody reads a part of a text: that gets its name when it is whole.
 *
 * @param temporary a new name for each
 */
export async function placeNew(
  remote: Remote,
  { texts, links = {} }: SmallEntries,
  temporary: () => string,
): Promise<void> {
  const unlessThere = async (path: string, placed: Promise<void>) => {
    try {
      await placed;
    } catch (error) {
      if (!isRefusal(error) || (await remote.look(path)) === null) throw error;
    }
  };
  for (const [path, text] of Object.entries(texts)) {
    const beside = posix.join(posix.dirname(path), temporary());
    if ((await remote.canLink()) && (await linkWhole(remote, [beside, path], text))) continue;
    await unlessThere(path, writeText(remote, path, { text, flags: 'wx' }));
  }
  for (const [path, text] of Object.entries(links)) await unlessThere(path, remote.makeLink(text, path));
}

/** @returns false where the server would not, and something may stand there */
async function linkWhole(remote: Remote, [beside, path]: readonly [string, string], text: string): Promise<boolean> {
  try {
    await writeText(remote, beside, { text, flags: 'wx' });
    return await remote.linkFile(beside, path);
  } finally {
    await remote.removeFile(beside);
  }
}

/**
 * Puts entries in place of what stands there. All are made beside it first, so that the renames go together: where one
 * cannot be made, none is in place.
 *
 * @param temporary a new name for each
 */
export async function placeEntries(
  remote: Remote,
  { directories = [], texts, links = {} }: SmallEntries,
  temporary: () => string,
): Promise<void> {
  for (const path of directories) if (await remote.makeDirectory(path)) await remote.set(path, { mode: 0o755 });
  const beside = (path: string) => posix.join(posix.dirname(path), temporary());
  const made = [...Object.keys(links), ...Object.keys(texts)].map((path) => ({ path, from: beside(path) }));
  try {
    await each(made, ({ path, from }) => {
      const text = links[path];
      if (text !== undefined) return remote.makeLink(text, from);
      return writeText(remote, from, { text: texts[path] ?? '', flags: 'wx' });
    });
    await Promise.all(made.map(({ path, from }) => remote.rename(from, path)));
  } catch (error) {
    await each(made, ({ from }) => remote.removeFile(from)).catch(() => {});
    throw error;
  }
}
