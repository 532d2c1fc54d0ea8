import { createHash } from 'node:crypto';
import {
  copyFileSync,
  constants as fsConstants,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type Manifest, type ManifestFile, publishedMode } from '../../pipelines/mirror/manifest.ts';
import { sha256 } from '../files/digest.ts';
import { readMemory, saveMemory, type TreeMemory } from './frozen-memory.ts';
import { MirrorError } from './types.ts';

/** What the kernel says of a file; times in milliseconds, `mtime` in seconds. */
export interface FileFacts {
  /** Which file it is and what it was when it was last touched. */
  readonly id: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
  readonly changed: number;
  /** Whether the file system tells times apart within a second. */
  readonly fine: boolean;
}

/** A tree on disk: paths below it, in a fixed order. */
export interface Scanned {
  readonly directories: readonly string[];
  readonly files: ReadonlyMap<string, FileFacts>;
  readonly links: ReadonlyMap<string, string>;
}

/**
 * Makes `tree` a copy of the source by hard links where they can be had, and works out the hash of each file. What is
 * the same file as last time, not touched since, is neither linked nor read again.
 *
 * @param memory the file that says what `tree` was made of
 * @throws MirrorError `source` where the source changes meanwhile or cannot be read
 */
export async function copyTree(source: string, tree: string, memory: string): Promise<Manifest> {
  try {
    return await copyChanged(source, tree, memory);
  } catch (error) {
    const { code, path = '' } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof MirrorError) throw error;
    throw new MirrorError('source', `the source cannot be copied (${code}): ${path.replace(`${source}/`, '')}`);
  }
}

/** What some files are of a tree that nobody changes any more. */
export async function manifestIn(tree: string, { directories, files, links }: Scanned): Promise<Manifest> {
  const read: [path: string, ManifestFile][] = [];
  const digest = digestsIn(tree);
  for (const [path, facts] of files) {
    if (read.length % turn === 0) await setImmediate();
    read.push([path, fileOf(facts, await digest(path, facts))]);
  }
  return { directories, files: Object.fromEntries(read), links: Object.fromEntries(links) };
}

async function copyChanged(source: string, tree: string, memory: string): Promise<Manifest> {
  const known = await readMemory(memory);
  // Without it nothing is known of what stands there.
  if (known === null) await rm(tree, { recursive: true, force: true });
  const found = scan(source);
  const last = known ?? { directories: [], files: {}, links: {} };
  const fresh = [...found.files].flatMap(([path, facts]) => (last.files[path]?.facts === facts.id ? [] : [path]));
  if (known !== null && fresh.length === 0 && sameShape(known, found)) return manifestOf(found, known.files);
  // Who is killed from here on begins anew.
  await rm(memory, { force: true });
  clear(tree, last, found);
  const made = new Set(last.directories);
  fill({ source, tree }, { ...found, directories: found.directories.filter((path) => !made.has(path)) }, fresh);
  const hashed = await hashAll({ source, tree }, found, fresh);
  const files = Object.fromEntries(
    [...hashed].map(([path, { noted }]) => [path, noted] as const).concat(kept(found, last)),
  );
  await saveMemory(memory, { directories: found.directories, files, links: Object.fromEntries(found.links) });
  const seen = new Map([...found.files].map(([path, facts]) => [path, hashed.get(path)?.facts ?? facts] as const));
  return manifestOf({ ...found, files: seen }, files);
}

/**
 * Directories, files and links, and nothing else: nobody publishes devices, and to read one may take for ever.
 *
 * @param except directories that are not looked into
 */
export function scan(root: string, except: readonly string[] = []): Scanned {
  const [directories, files, links] = [[''], new Map<string, FileFacts>(), new Map<string, string>()];
  for (const directory of directories) {
    for (const entry of at(directory, () => readdirSync(join(root, directory), { withFileTypes: true }))) {
      const path = join(directory, entry.name);
      const look = <T>(read: (place: string) => T) => at(path, () => read(join(root, path)));
      if (except.includes(path)) continue;
      if (entry.isDirectory()) directories.push(path);
      else if (entry.isSymbolicLink())
        links.set(
          path,
          look((place) => readlinkSync(place)),
        );
      else if (entry.isFile()) files.set(path, look(factsOf));
    }
  }
  for (const path of [...files.keys(), ...links.keys()]) checkName(path);
  const inOrder = <T>(map: ReadonlyMap<string, T>) =>
    new Map([...map.keys()].sort().map((path) => [path, map.get(path) as T]));
  return { directories: directories.slice(1), files: inOrder(files), links: inOrder(links) };
}

/** What stands for bytes that are no text names no file. */
function at<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw path.includes('\ufffd') ? refusedName(path.replaceAll('\ufffd', '?'), 'is not UTF-8') : error;
  }
}

function checkName(path: string): void {
  if (/\p{Cc}/u.test(path)) throw refusedName(path, 'has a control character');
  if (/\\#\d{3}/.test(path)) throw refusedName(path, 'has what rsync writes for a control character');
}

function refusedName(path: string, why: string): MirrorError {
  return new MirrorError(
    'source',
    `${JSON.stringify(path)} ${why}: such a name is not mirrored, rename it in the source`,
  );
}

function sameShape(known: TreeMemory, { directories, files, links }: Scanned): boolean {
  return (
    files.size === Object.keys(known.files).length &&
    links.size === Object.keys(known.links).length &&
    [...links].every(([path, text]) => known.links[path] === text) &&
    JSON.stringify(known.directories) === JSON.stringify(directories)
  );
}

/** Takes away what is gone, or is made anew: links first, so that no path leads through one, directories last. */
function clear(tree: string, last: TreeMemory, { directories, files }: Scanned): void {
  const old = Object.entries(last.files).filter(([path, { facts }]) => files.get(path)?.id !== facts);
  const paths = [...Object.keys(last.links), ...old.map(([path]) => path)];
  for (const path of paths) rmSync(join(tree, path), { force: true });
  const wanted = new Set(directories);
  for (const path of last.directories.toReversed()) {
    if (!wanted.has(path)) rmSync(join(tree, path), { recursive: true, force: true });
  }
}

interface Pair {
  readonly source: string;
  readonly tree: string;
}

function fill({ source, tree }: Pair, { directories, links }: Scanned, fresh: readonly string[]): void {
  mkdirSync(tree, { recursive: true });
  for (const path of directories) mkdirSync(join(tree, path), { recursive: true });
  for (const path of fresh) linkOrCopy(join(source, path), join(tree, path));
  for (const [path, text] of links) symlinkSync(text, join(tree, path));
  const touched = new Set([...fresh, ...links.keys()].map((path) => dirname(path)));
  for (const path of touched) {
    const { atimeMs, mtimeMs } = lstatSync(join(source, path));
    utimesSync(join(tree, path), atimeMs / 1000, mtimeMs / 1000);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(code)) throw error;
    copyFileSync(from, to, fsConstants.COPYFILE_FICLONE);
    const { atimeMs, mtimeMs } = lstatSync(from);
    utimesSync(to, atimeMs / 1000, mtimeMs / 1000);
  }
}

/** Milliseconds in which file systems may give two changes the same time: coarse ones count in seconds. */
const [tick, coarseTick] = [50, 2_000];
/** Files that are hashed before others get their turn. */
const turn = 64;
/** Larger files are not read as a whole. */
const large = 8 * 1024 * 1024;

/** The SHA-256 of a file, in hex. A turn of the event loop for each step of a small one would take longer than the step. */
async function digestOf(file: string, size: number): Promise<string> {
  return size > large ? sha256(file) : createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Tells what files of a tree are, and reads each once: an index has a second name, which carries its hash. */
function digestsIn(tree: string) {
  const read = new Map<string, string>();
  return async (path: string, { id, size }: { readonly id: string; readonly size: number }): Promise<string> => {
    const digest = read.get(id) ?? (await digestOf(join(tree, path), size));
    read.set(id, digest);
    return digest;
  };
}

/** The first of some paths whose file is not what a manifest says; null where all are. */
export async function firstChanged(
  tree: string,
  { files }: Pick<Manifest, 'files'>,
  paths: readonly string[],
): Promise<string | null> {
  const digest = digestsIn(tree);
  for (const [position, path] of paths.entries()) {
    if (position % turn === 0) await setImmediate();
    const wanted = files[path];
    if (wanted === undefined) continue;
    const found = lstatSync(join(tree, path), { throwIfNoEntry: false });
    if (found === undefined || found.size !== wanted.size) return path;
    const { dev, ino, size } = found;
    if ((await digest(path, { id: `${dev} ${ino}`, size })) !== wanted.sha256) return path;
  }
  return null;
}

interface HashedFile {
  readonly facts: FileFacts;
  readonly noted: TreeMemory['files'][string];
}

async function hashAll({ source, tree }: Pair, found: Scanned, paths: readonly string[]) {
  // What was linked just now could be written to again without another time to tell.
  if (paths.length > 0) await sleep(tick);
  const hashed = new Map<string, HashedFile>();
  for (const [position, path] of paths.entries()) {
    if (position % turn === 0) await setImmediate();
    const file = join(tree, path);
    const [facts, origin] = [factsOf(file), factsOf(join(source, path))];
    const same = facts.id === origin.id || found.files.get(path)?.id === origin.id;
    const settled = origin.changed + (origin.fine ? tick : coarseTick) <= Date.now();
    const digest = await digestOf(file, facts.size);
    // What cannot be told apart from a later change is looked at again next time.
    hashed.set(path, { facts, noted: { facts: same && settled ? origin.id : '', sha256: digest } });
  }
  return hashed;
}

function kept({ files }: Scanned, last: TreeMemory): [string, TreeMemory['files'][string]][] {
  return Object.entries(last.files).filter(([path, { facts }]) => files.get(path)?.id === facts);
}

function manifestOf(
  { directories, files, links }: Scanned,
  hashes: Readonly<Record<string, { readonly sha256: string }>>,
): Manifest {
  const entries = [...files].map(([path, facts]) => [path, fileOf(facts, hashes[path]?.sha256 ?? '')] as const);
  return { directories, files: Object.fromEntries(entries), links: Object.fromEntries(links) };
}

function fileOf({ size, mode, mtime }: FileFacts, sha256: string): ManifestFile {
  return { size, mode: publishedMode(mode), mtime, sha256 };
}

/** Which file it is and when it was changed, by all that the kernel tells of it. */
export function factsOf(path: string): FileFacts {
  const { dev, ino, size, mode, mtimeNs, ctimeNs, ctimeMs } = lstatSync(path, { bigint: true });
  return {
    id: [dev, ino, size, mode, mtimeNs, ctimeNs].join(' '),
    size: Number(size),
    mode: Number(mode),
    mtime: Number((mtimeNs - (((mtimeNs % second) + second) % second)) / second),
    changed: Number(ctimeMs),
    fine: ctimeNs % second !== 0n,
  };
}

const second = 1_000_000_000n;
