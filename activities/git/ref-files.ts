import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Refs below prefixes, read from Git's own files (gitrepository-layout(5)): loose ones first, then `packed-refs`, in
 * the order in which Git moves them, so that none is missed while it is being packed.
 *
 * @param prefixes a whole ref, or whole components that end with a slash or stand for one
 * @param wanted which of these to read: each is a file of its own
 */
export async function readRefFiles(
  repo: string,
  prefixes: readonly string[],
  wanted: (ref: string) => boolean = () => true,
): Promise<Map<string, string>> {
  const loose = await Promise.all(prefixes.map((prefix) => readLoose(repo, prefix.replace(/\/$/, ''), wanted)));
  const found = new Map((await readPacked(repo, prefixes)).filter(([ref]) => wanted(ref)));
  for (const [ref, id] of loose.flat()) found.set(ref, id);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Entry = readonly [ref: string, id: string];

async function readLoose(repo: string, ref: string, wanted: (ref: string) => boolean): Promise<Entry[]> {
  const entries = await readdir(join(repo, ref), { withFileTypes: true }).catch(ignoreAbsent);
  if (entries === null) return readOne(repo, ref);
  const found = await Promise.all(
    entries.map((entry) => {
      const name = `${ref}/${entry.name}`;
      if (entry.isDirectory()) return readLoose(repo, name, wanted);
      return wanted(name) ? readOne(repo, name) : [];
    }),
  );
  return found.flat();
}

/** A file that is no ref (a lock, a symbolic ref) is left out. */
async function readOne(repo: string, ref: string): Promise<Entry[]> {
  if (ref.endsWith('.lock')) return [];
  const text = await readFile(join(repo, ref), 'utf8').catch(ignoreAbsent);
  const id = /^([0-9a-f]{40,64})\n?$/.exec(text ?? '')?.[1];
  return id === undefined ? [] : [[ref, id]];
}

async function readPacked(repo: string, prefixes: readonly string[]): Promise<Entry[]> {
  const text = (await readFile(join(repo, 'packed-refs'), 'utf8').catch(ignoreAbsent)) ?? '';
  const wanted = (ref: string) =>
    prefixes.some((prefix) => ref === prefix || ref.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`));
  return text.split('\n').flatMap((line): Entry[] => {
    const [, id, ref] = /^([0-9a-f]{40,64}) (refs\/.+)$/.exec(line) ?? [];
    return id !== undefined && ref !== undefined && wanted(ref) ? [[ref, id]] : [];
  });
}

function ignoreAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
