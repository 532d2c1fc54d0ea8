import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { opendir, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeOpenDirectory, openTree } from '../files/modes.ts';
import { syncBranches, syncTree } from '../files/sync.ts';
import { moveLink, moveWhole } from '../files/write.ts';
import { withLock } from '../process/lock.ts';
import { must } from '../process/run.ts';
import { RepositoryRefusal } from './port.ts';

/**
 * A directory that changes as a whole. DIR is a link to one of the numbered trees in `.NAME.generations/` beside it;
 * a new state is built next to the old one and shown by renaming one link. A reader that has entered DIR stays in
 * the tree that it entered.
 */
export interface Generations {
  /** The link that readers use. */
  readonly dir: string;
  readonly home: string;
}

/** A tree that is filled and shown in one go. */
const partial = 'partial';
/** How trees are named that wait for their signatures. */
export const stagedPrefix = 'staged-';
/** What one of these carries for whoever shows it, and no reader sees. */
export const stagedNote = '.standing.json';

/** A tree that nobody needs any more, under its number: the next one may be made of it. */
const sparePrefix = 'spare-';
/** One that is being removed: whatever is left of it serves nobody. */
const goingPrefix = 'going-';

/** From so many files on a tree is not waited for file by file. */
export const many = 500;

/** Trees kept besides the one shown, for readers that are still inside. */
const keptGenerations = 3;

/** @throws RepositoryRefusal when DIR is a link that leads to itself. */
export async function generationsOf(directory: string): Promise<Generations> {
  const dir = resolve(directory);
  const text = leadsTo(dir);
  const home = join(dirname(dir), `.${basename(dir)}.generations`);
  if (text !== null && dirname(resolve(dirname(dir), text)) !== home) {
    const code = await stat(dir).catch((error: NodeJS.ErrnoException) => error.code);
    if (code === 'ELOOP') throw new RepositoryRefusal(`${dir} is a link that leads to itself`);
    return generationsOf(resolve(dirname(dir), text));
  }
  return { dir, home };
}

/**
 * The tree that readers see, or null when nothing was published yet.
 *
 * @throws RepositoryRefusal when DIR is a file, or a directory that was not made by us and is not empty.
 */
export async function currentTree({ dir, home }: Generations): Promise<string | null> {
  if (leadsTo(dir) !== null) return realpathSync(dir);
  const found = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new RepositoryRefusal(`${dir} cannot be a repository: ${error.message}`);
    return [];
  });
  if (found.length > 0) {
    throw new RepositoryRefusal(
      `${dir} is a plain directory with content: publish into a new one with --base ${dir} (generations are kept in ${home})`,
    );
  }
  return null;
}

/** Runs `work` as the only writer of the directory. `wait` is in seconds. */
export async function asWriter<T>(generations: Generations, wait: number, work: () => Promise<T>): Promise<T> {
  await makeOpenDirectory(generations.home);
  return withLock(join(generations.home, 'lock'), wait, work);
}

/** An empty tree to fill, called `name`; what an earlier writer left under it is gone. */
export async function newTree({ home }: Generations, name = partial): Promise<string> {
  await removeWhole(home, name);
  const tree = join(home, name);
  mkdirSync(tree, { recursive: true });
  return tree;
}

/** What is known of a tree that is to be shown. */
export interface Showing {
  readonly inUse?: InUse;
  /** What it shares with the tree before. */
  readonly settled?: Settled;
}

/** Directories of a tree whose modes are known, and which the disk has but for some paths. */
export interface Settled {
  readonly directories: readonly string[];
  /** Relative to the tree, with those that are gone; null where the disk may lack any. */
  readonly changed: readonly string[] | null;
}

/** The names of the generations that somebody works with, asked when there is a new one. */
export type InUse = () => Promise<readonly string[]>;

/**
 * Shows a finished tree once the disk has it, readable by everybody, and removes those that nobody uses and that are too
 * old to have readers. What else was staged stood on the state before: nobody can show it any more. For the writer only.
 */
export async function showTree(generations: Generations, tree: string, showing: Showing = {}): Promise<string> {
  const { dir, home } = generations;
  const { inUse = async () => [], settled } = showing;
  const used = await inUse();
  const name = await nextName(generations);
  await openTree(tree, settled?.directories);
  await waitForTree(tree, await currentTree(generations).catch(() => null), settled);
  await moveWhole(tree, join(home, name));
  // Not sooner: who is killed shows the tree again, with its note, or makes another one.
  rmSync(join(home, name, stagedNote), { force: true });
  await rmdir(dir).catch(() => {});
  await moveLink(dir, join(basename(home), name));
  await prune(home, name, used);
  await removeStaged(generations, () => false);
  return join(home, name);
}

/** Waits until the disk has a tree. @param before the tree before it, which the disk has */
export async function waitForTree(tree: string, before: string | null, settled?: Settled): Promise<void> {
  if (settled === undefined && !(await holdsMany(tree))) return syncTree(tree, before);
  const { directories, changed } = settled ?? {};
  if (changed != null && changed.length < many) {
    await syncTree(tree, before, directories);
    return syncBranches(tree, changed);
  }
  // Waiting for each of many files takes far longer than for all that the file system has to write.
  await must('sync', ['--file-system', '--', tree]);
}

async function holdsMany(tree: string): Promise<boolean> {
  let found = 0;
  for await (const entry of await opendir(tree, { recursive: true })) {
    if (!entry.isDirectory()) found += 1;
    if (found >= many) return true;
  }
  return false;
}

/** How the next tree that is shown will be called. For the writer only. */
export async function nextName({ home }: Generations): Promise<string> {
  return String(Number((await numbered(home)).at(-1) ?? '0') + 1).padStart(6, '0');
}

/** The tree shown and the ones before it that still stand, newest first. */
export async function recentTrees(generations: Generations): Promise<string[]> {
  const current = await currentTree(generations);
  if (current === null) return [];
  const names = await numbered(generations.home);
  return names
    .filter((name) => name <= basename(current))
    .reverse()
    .map((name) => join(generations.home, name));
}

/**
 * Removes trees that were staged and never shown, but for those that somebody will still show.
 *
 * @returns how many they were, or would be.
 */
export async function removeStaged(
  { home }: Pick<Generations, 'home'>,
  isWanted: (name: string, touched: number) => boolean,
  dryRun = false,
): Promise<number> {
  let removed = 0;
  for (const name of namesIn(home)) {
    const path = join(home, name);
    if (name !== partial && !name.startsWith(stagedPrefix)) continue;
    const found = await stat(path).catch(() => null);
    if (found === null || isWanted(name, found.mtimeMs)) continue;
    if (!dryRun) await removeWhole(home, name);
    removed += 1;
  }
  return removed;
}

/** The tree that was set aside last, with the number that it had; null where there is none. */
export async function spareTree({
  home,
}: Generations): Promise<{ readonly tree: string; readonly name: string } | null> {
  const found = (await spares(home)).at(-1);
  return found === undefined ? null : { tree: join(home, found), name: found.slice(sparePrefix.length) };
}

/**
 * Takes a spare tree away in one step, so that whatever is taken out of it, a tree of which something is missing is never
 * found as a spare one; a writer who is killed leaves it to the next one that shows a tree.
 *
 * @returns where it stands
 */
export async function claimSpare({ home }: Pick<Generations, 'home'>, name: string): Promise<string> {
  const [from, to] = [`${sparePrefix}${name}`, `${goingPrefix}${name}`];
  await moveWhole(join(home, from), join(home, to));
  return join(home, to);
}

/** Of the trees that nobody needs any more the newest is set aside, and the others go. */
async function prune(home: string, current: string, used: readonly string[]): Promise<void> {
  const old = (await numbered(home)).filter((name) => name < current).slice(0, -keptGenerations);
  for (const name of old) if (!used.includes(name)) await setAside(home, name);
  for (const name of (await spares(home)).slice(0, -1)) await claimSpare({ home }, name.slice(sparePrefix.length));
  // Among them those of a writer who was killed.
  const gone = namesIn(home).filter((name) => name.startsWith(goingPrefix));
  for (const name of gone) await removeTree(join(home, name));
}

/** Removes a tree that nobody shows. Killed meanwhile, nothing of it is left under its name, where it might be shown. */
export async function removeWhole(home: string, name: string): Promise<void> {
  const going = join(home, `${goingPrefix}${name}-${randomUUID()}`);
  const there = await moveWhole(join(home, name), going).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return false;
    },
  );
  if (there) await removeTree(going);
}

/** Takes a tree out of the way of who may want to read it, unless somebody holds it. */
async function setAside(home: string, name: string): Promise<void> {
  const alone = ['--exclusive', '--nonblock', '--conflict-exit-code', '0', `${join(home, name)}/`];
  await must('flock', [
    ...alone,
    'mv',
    '--no-target-directory',
    '--',
    join(home, name),
    join(home, `${sparePrefix}${name}`),
  ]);
}

/** A program for it takes a fifth of the time that Node takes for as many files. */
async function removeTree(tree: string): Promise<void> {
  await must('rm', ['--recursive', '--force', '--', tree]);
}

async function spares(home: string): Promise<string[]> {
  return namesIn(home)
    .filter((name) => name.startsWith(sparePrefix))
    .sort();
}

async function numbered(home: string): Promise<string[]> {
  return namesIn(home)
    .filter((name) => /^\d{6,}$/.test(name))
    .sort();
}

/** These looks are many for each publication, and a turn of the event loop takes longer than one. */
function namesIn(home: string): readonly string[] {
  try {
    return readdirSync(home);
  } catch {
    return [];
  }
}

/** Null for what is no link. */
function leadsTo(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
