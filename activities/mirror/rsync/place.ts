import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { type ListedEntry, parseListing } from '../../../pipelines/mirror/listing.ts';
import { parentsOf } from '../../../pipelines/mirror/way.ts';
import { withTemporary } from '../temporary.ts';
import type { SmallEntries } from '../transport.ts';
import type { MirrorError } from '../types.ts';
import type { Rsync } from './call.ts';
import { nothingIfSilent } from './shell.ts';

/** Modes of what is published, whatever the umask on either side: all may read, the owner alone may write. */
export const publishedModes = '--chmod=D755,Fu=rwX,Fgo=rX';

interface Placed {
  /** Below the directory here and the place there. A directory in the list is made without what it holds. */
  readonly paths: readonly string[];
  readonly options?: readonly string[];
}

/**
 * Sends exactly these paths of a directory. Directories on the way that are not among them are neither made nor
 * touched, so that a link to a directory stays one.
 */
async function placePaths(
  rsync: Pick<Rsync, 'call'>,
  [directory, place]: readonly [here: string, there: string],
  { paths, options = [] }: Placed,
): Promise<void> {
  const list = `${directory}.paths`;
  await writeFile(list, listed(paths));
  const exactly = ['--dirs', '--links', '--perms', '--ignore-times', publishedModes, '--no-implied-dirs'];
  await rsync.call([...exactly, ...options, '--from0', `--files-from=${list}`, `${directory}/`, place]);
}

/**
 * Sends small files and links to paths below the root, each put in place by one rename. They are sent from the root,
 * because a daemon cuts links that lead upwards out of what is sent.
 */
export async function placeEntries(
  rsync: Rsync,
  entries: SmallEntries,
  existing: 'replaced' | 'kept' = 'replaced',
): Promise<void> {
  if (existing === 'replaced' && (await placeByShell(rsync, entries))) return;
  const { directories = [], texts, links = {} } = entries;
  const options = existing === 'kept' ? ['--ignore-existing'] : [];
  await withTemporary(async (directory) => {
    const make = async (path: string) => {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      return join(directory, path);
    };
    for (const [path, text] of Object.entries(texts)) await writeFile(await make(path), text);
    for (const [path, text] of Object.entries(links)) await symlink(text, await make(path));
    const paths = [...directories, ...Object.keys(links), ...Object.keys(texts)];
    await placePaths(rsync, [directory, rsync.at('')], { paths, options });
  });
}

/** What a shell does of entries in one go: longer texts are for rsync. */
const longest = 100_000;

const placeScript = `
cd -- "$1" && umask 022 && shift || return
while [ $# -gt 0 ]; do
  case $1 in
    link) ln -s -- "$2" "$3" ;;
    text) printf %s "$2" >"$3" ;;
  esac && mv -fT -- "$3" "$4" || { rm -f -- "$3"; return; }
  shift 4
done
printf placed`;

/** The same on this machine, for one program in the place of three; what it cannot do is for rsync, and for it to explain. */
async function placeByShell(rsync: Rsync, { directories = [], texts, links = {} }: SmallEntries): Promise<boolean> {
  const length = Object.values(texts).reduce((sum, text) => sum + text.length, 0);
  // Behind a connection it could still come to pass when we are gone.
  if (rsync.kind !== 'local' || directories.length > 0 || length > longest) return false;
  const each = (kind: string) => (entry: readonly [path: string, text: string]) => {
    const [path, text] = entry;
    return [kind, text, posix.join(posix.dirname(path), rsync.temporary()), path];
  };
  const words = [...Object.entries(links).flatMap(each('link')), ...Object.entries(texts).flatMap(each('text'))];
  return (await rsync.shell?.(placeScript, [rsync.directory(''), ...words])) === 'placed';
}

/** Makes a directory below the root, the root as well, and leaves alone what is there. */
export async function makeDirectory(rsync: Rsync, path: string): Promise<void> {
  if (rsync.kind === 'local') return makeHere(rsync.at(path));
  const { top } = rsync;
  if (top === null) return makeThere(rsync, path);
  const full = posix.join(top.path, path);
  const wanted = [...parentsOf(full), full];
  const there = new Set((await listPaths(rsync, wanted)).map(({ name }) => name));
  const paths = wanted.filter((one) => !there.has(one));
  if (paths.length > 0) await placeDirectories(rsync, top.place, paths);
}

/** Makes directories below a place, the outer ones first. */
export function placeDirectories(rsync: Rsync, place: string, paths: readonly string[]): Promise<void> {
  return withTemporary(async (directory) => {
    for (const path of paths) await mkdir(join(directory, path), { recursive: true });
    await placePaths(rsync, [directory, place], { paths });
  });
}

/** Those of the paths below the daemon's module that are there. */
export async function listPaths({ list, top }: Rsync, paths: readonly string[]): Promise<ListedEntry[]> {
  const chosen = paths.map((path) => `--include=/${escapePattern(path)}`);
  const { text } = await list(['--recursive', ...chosen, '--exclude=*', top?.place ?? '']);
  return parseListing(text);
}

async function makeHere(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made === undefined) return;
  for (let place = path; place.length >= made.length; place = dirname(place)) await chmod(place, 0o755);
}

/**
 * rsync makes the last directory of a path; to make those before as well is asked of newer ones than we need. What is
 * there is never sent to, because its mode is not ours.
 */
async function makeThere(rsync: Rsync, path: string): Promise<void> {
  const missing: string[] = [];
  let place = posix.normalize(rsync.at(path)).replace(/\/+$/, '');
  for (; !place.endsWith(':') && !(await isThere(rsync, place)); place = posix.dirname(place)) missing.unshift(place);
  for (const one of missing) {
    await withTemporary((empty) => rsync.call(['--dirs', '--perms', publishedModes, `${empty}/`, `${one}/`]));
  }
}

function isThere(rsync: Rsync, place: string): Promise<boolean> {
  return rsync.list(['--dirs', place]).then(
    () => true,
    (error: MirrorError) => {
      if (error.code === 'rsync:23' || /No such file or directory/.test(error.message)) return false;
      throw error;
    },
  );
}

/** Removes entries from a directory of the mirror, whole trees as well. */
export async function removeEntries(rsync: Rsync, directory: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const chosen = names.flatMap((name) => [
    `--include=/${escapePattern(name)}`,
    `--include=/${escapePattern(name)}/***`,
  ]);
  const target = directory === '' || directory === '.' ? rsync.at('') : `${rsync.at(directory)}/`;
  await withTemporary((empty) =>
    rsync.call(['--recursive', '--delete', '--force', ...chosen, '--exclude=*', `${empty}/`, target]),
  );
}

/** Small files of the mirror by path; those that are not there are left out. */
export async function readTexts(rsync: Rsync, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (rsync.kind === 'local') return readHere(rsync, paths);
  const read = rsync.near() ? await readByShell(rsync, paths) : null;
  if (read !== null) return read;
  const found = new Map<string, string>();
  await withTemporary(async (directory) => {
    const { place, path: prefix } = rsync.top ?? { place: rsync.at(''), path: '' };
    const list = `${directory}.paths`;
    await writeFile(list, listed(paths.map((path) => posix.join(prefix, path))));
    const named = ['--from0', `--files-from=${list}`, '--ignore-missing-args', '--copy-links'];
    // A link that leads nowhere is reported as a file that vanished or cannot be read: it is not there either.
    await rsync.call([...named, place, `${directory}/`]).catch((error: MirrorError) => {
      if (error.code !== 'rsync:23' && error.code !== 'rsync:24') throw error;
    });
    for (const path of paths) {
      const text = await readFile(join(directory, prefix, path), 'utf8').catch(() => null);
      if (text !== null) found.set(path, text);
    }
  });
  return found;
}

const readScript = `
cd -- "$1" && shift || return
for path; do
  [ ! -f "$path" ] || { printf '%s\\0' "$path" && cat -- "$path" && printf '\\0'; } || return
done
printf read`;

/** The same by a shell, for a program less there and here; null where it does not say all, which rsync then does. */
async function readByShell(rsync: Rsync, paths: readonly string[]): Promise<ReadonlyMap<string, string> | null> {
  const named = new Map(paths.map((path) => [`./${path}`, path]));
  // The connection that stood may be dead: rsync makes a new one.
  const said = await rsync.shell?.(readScript, [rsync.directory(''), ...named.keys()]).catch(nothingIfSilent);
  const parts = (said ?? '').split('\0');
  if (parts.pop() !== 'read') return null;
  const found = new Map<string, string>();
  for (let at = 0; at < parts.length; at += 2) {
    const [path, text] = [named.get(parts[at] ?? ''), parts[at + 1]];
    if (path === undefined || text === undefined) return null;
    found.set(path, text);
  }
  return found;
}

/** A link that leads nowhere, and what may not be read, is not there either. */
async function readHere({ directory }: Rsync, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) {
    const file = directory(path);
    const isFile = await stat(file).then(
      (one) => one.isFile(),
      () => false,
    );
    const text = isFile ? await readFile(file, 'utf8').catch(() => null) : null;
    if (text !== null) found.set(path, text);
  }
  return found;
}

/** A list for `--files-from` and `--from0`, where `#` and `;` at the beginning of a name would make it a remark. */
export function listed(paths: readonly string[]): string {
  return paths.map((path) => `./${path}`).join('\0');
}

/** In rsync's patterns a backslash makes the next character stand for itself, if there is a wildcard at all. */
export function escapePattern(name: string): string {
  return /[*?[]/.test(name) ? name.replace(/[\\*?[\]]/g, '\\$&') : name;
}

/** Removes paths of any depth below a directory of the mirror. */
export async function removePaths(rsync: Rsync, place: string, paths: readonly string[]): Promise<void> {
  await withTemporary(async (directory) => {
    for (const path of paths) await mkdir(dirname(join(directory, path)), { recursive: true });
    const list = `${directory}.paths`;
    await writeFile(list, listed(paths));
    const named = ['--dirs', '--no-implied-dirs', '--force', '--delete-missing-args'];
    await rsync.call([...named, '--from0', `--files-from=${list}`, `${directory}/`, `${rsync.at(place)}/`]);
  });
}
