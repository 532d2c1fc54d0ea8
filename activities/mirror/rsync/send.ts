import { writeFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { foundEnd, foundFormat, parseFound, parseListing } from '../../../pipelines/mirror/listing.ts';
import type { CopyPlan } from '../../../pipelines/mirror/manifest.ts';
import { withTemporary } from '../temporary.ts';
import { type Compared, type Files, type Listing, nothingSent, type Sending, type Transferred } from '../transport.ts';
import type { Rsync } from './call.ts';
import { escapePattern, listed, placeDirectories, publishedModes } from './place.ts';
import { nothingIfSilent } from './shell.ts';

/** A directory here and a place below the mirror's root. */
type Ends = readonly [tree: string, place: string];

/** What a transfer is to say of itself, for `transferredOf`. */
const told = ['--stats', '--no-human-readable', '--out-format=%i %n'];

/** A list of packages has a second name, which carries its hash: it is sent once. */
const once = '--hard-links';

/** Sends a tree to a place; what did not change is linked to the bases. */
export async function sendTree(
  rsync: Rsync,
  [tree, place]: Ends,
  { bases, apart = [], byContent = false, dryRun = false }: Sending,
): Promise<Transferred> {
  if (!dryRun && rsync.top !== null && !isPlain(rsync.base(place)))
    await placeDirectories(rsync, rsync.at(''), [place]);
  const kept = ['--recursive', '--links', '--perms', '--times', '--force', '--delete', once, publishedModes];
  const how = [...(byContent ? ['--checksum'] : []), ...(dryRun ? ['--dry-run'] : [])];
  const args = [...kept, ...excluded(apart), ...told, ...how, ...bases.map((base) => linkedTo(rsync, base))];
  return transferredOf(await rsync.call([...args, `${tree}/`, `${rsync.at(place)}/`]));
}

/** Whether rsync has no pattern made of a name for a daemon: a blank becomes `[ ]`, which no new directory matches. */
function isPlain(place: string): boolean {
  return /^[\w./+-]+$/.test(place);
}

/** Sends paths of a tree to a place that holds others as well. */
export async function sendFiles(rsync: Rsync, ends: Ends, { paths, bases }: Files): Promise<Transferred> {
  if (paths.length === 0) return nothingSent;
  // What nobody knows of may stand there, with the same size and time.
  const how = ['--perms', '--times', '--checksum', publishedModes, ...told];
  return transferredOf(
    await sendListed(rsync, ends, { paths, how: [...how, ...bases.map((base) => linkedTo(rsync, base))] }),
  );
}

/**
 * Copies a directory by hard links. Where nobody listens any more, what it says on the way ends it, so that nothing is
 * made behind the back of who comes next.
 */
const copyScript = `
cd -- "$1" && [ ! -e "$3" ] && cp -alv -- "$2" "$3" | awk 'NR % 500 == 0 { print NR; fflush() }'`;

/** Makes a place as a copy of a directory beside it, and sends what differs; null where there is no shell for it. */
export async function sendOver(
  rsync: Rsync,
  [tree, place]: Ends,
  { base, sent, gone }: CopyPlan,
): Promise<Transferred | null> {
  const args = [rsync.directory(posix.dirname(place)), base, posix.basename(place)];
  const said = (await rsync.shell?.(copyScript, args)) ?? null;
  if (said === null) return null;
  // Sizes and times of what differs may be the same.
  const how = [
    '--links',
    '--perms',
    '--times',
    '--ignore-times',
    '--force',
    '--delete-missing-args',
    once,
    publishedModes,
  ];
  return transferredOf(await sendListed(rsync, [tree, place], { paths: [...sent, ...gone], how: [...how, ...told] }));
}

/** Paths that differ by checksum. */
export async function compare(rsync: Rsync, ends: Ends, compared: Compared): Promise<string[]> {
  const { paths, mend = false, base } = compared;
  if (paths.length === 0 || (!mend && (await areKnown(rsync, ends[1], compared)))) return [];
  const how = ['--checksum', '--out-format=%i %n'];
  how.push(...(mend ? ['--times', '--perms', publishedModes] : ['--dry-run']));
  if (base !== undefined) how.push(linkedTo(rsync, base));
  return sentPaths(await sendListed(rsync, ends, { paths, how }));
}

/** More than so many files, or bytes of them, are left to rsync, which says meanwhile that it goes on. */
const [fewFiles, fewBytes] = [200, 64 * 1024 * 1024];

const hashScript = `cd -- "$1" && shift && find "$@" -maxdepth 0 -type f -exec sha256sum --zero -- {} +`;

/** Whether the host itself finds that files are what is known of them; what it cannot say is for rsync to find out. */
async function areKnown(rsync: Rsync, place: string, { paths, files = {} }: Compared): Promise<boolean> {
  const known = paths.flatMap((path) => files[path] ?? []);
  const bytes = known.reduce((sum, { size }) => sum + size, 0);
  if (rsync.shell === null || known.length < paths.length || paths.length > fewFiles || bytes > fewBytes) return false;
  const places = paths.map((path) => `./${path}`);
  // It says nothing while it works on one file after the other.
  const said = await rsync.shell(hashScript, [rsync.directory(place), ...places]).catch(nothingIfSilent);
  const found = new Set(said?.split('\0'));
  return places.every((path, position) => found.has(`${known[position]?.sha256}  ${path}`));
}

/** Fetches a place but for some folders. */
export async function fetchTree(rsync: Rsync, [to, place]: Ends, apart: readonly string[]): Promise<void> {
  const how = ['--recursive', '--links', '--times', '--perms', ...excluded(apart)];
  await rsync.call([...how, `${rsync.at(place)}/`, `${to}/`]);
}

/** What stands in the directory that `$2` is a pattern for is listed and not entered. */
const listScript = `
cd -- "$1" || return
find . -mindepth 1 -path "$2" -printf '${foundFormat}' -prune -o -printf '${foundFormat}' && printf ${foundEnd}`;

/** Everything below a directory: by its own `find` where it has a GNU one, because rsync takes longer. */
export async function listBelow(rsync: Rsync, directory: string, closed?: string): Promise<Listing> {
  if (closed === undefined || rsync.near()) {
    const inClosed = closed === undefined ? '' : `./${closed.replace(/[\\*?[\]]/g, '\\$&')}/*`;
    const found = parseFound((await rsync.shell?.(listScript, [rsync.directory(directory), inClosed])) ?? '');
    if (found !== null) return { entries: found, unread: null };
  }
  const inside = closed === undefined ? [] : [`--exclude=/${escapePattern(closed)}/*/*`];
  const place = directory === '' ? rsync.at('') : `${rsync.at(directory)}/`;
  const { text, complete, said } = await rsync.list(['--recursive', ...inside, place]);
  return { entries: parseListing(text), unread: complete ? null : said };
}

interface Listed {
  readonly paths: readonly string[];
  readonly how: readonly string[];
}

function sendListed(rsync: Rsync, [tree, place]: Ends, { paths, how }: Listed): Promise<string> {
  return withTemporary(async (directory) => {
    const list = `${directory}.paths`;
    await writeFile(list, listed(paths));
    return rsync.call([...how, '--from0', `--files-from=${list}`, `${tree}/`, `${rsync.at(place)}/`]);
  });
}

function linkedTo(rsync: Rsync, base: string): string {
  return `--link-dest=${rsync.base(base)}`;
}

function excluded(folders: readonly string[]): string[] {
  return folders.map((folder) => `--exclude=/${escapePattern(folder)}`);
}

/** Reads what rsync says with `told`. */
function transferredOf(report: string): Transferred {
  const number = (label: string) => Number(new RegExp(`^${label}: (\\d+)`, 'm').exec(report)?.[1] ?? '0');
  return {
    bytes: number('Total transferred file size'),
    files: number('Number of regular files transferred'),
    changed: sentPaths(report),
    report,
  };
}

function sentPaths(report: string): string[] {
  return [...report.matchAll(/^[<>h]f\S+ (.*)$/gm)].map(([, path = '']) => path);
}
