import { posix } from 'node:path';
import type { ListedEntry } from '../../../pipelines/mirror/listing.ts';
import { isIn, parentsOf } from '../../../pipelines/mirror/way.ts';
import { type Compared, type Files, nothingSent, type Sending, type Transferred } from '../transport.ts';
import { MirrorError } from '../types.ts';
import { sameContent } from './content.ts';
import { each } from './each.ts';
import { placeFile, type Target } from './file.ts';
import { entriesOf, entryOf } from './local.ts';
import type { Remote } from './remote.ts';
import { listBelow, removeBelow } from './tree.ts';

/** Makes the place what the tree is; what did not change is linked to the bases, where the server can. */
export async function sendTree(
  target: Target,
  { bases: given, apart = [], byContent = false, dryRun = false }: Sending,
): Promise<Transferred> {
  const { remote, tree, place, sent } = target;
  const isApart = ({ name }: ListedEntry) => isIn(apart, name);
  const wanted = (await entriesOf(tree)).filter((entry) => !isApart(entry));
  const standing = await standingIn(remote, place);
  const there = new Map((standing ?? []).filter((entry) => !isApart(entry)).map((entry) => [entry.name, entry]));
  const gone = obsolete(wanted, there);
  const fresh = standing === null;
  if (!dryRun) {
    await removeBelow(remote, place, gone);
    await makeFolders(target, [...(fresh ? [''] : []), ...wanted.filter(isFolder).map(({ name }) => name)]);
  }
  const bases = (await remote.canLink()) ? given : [];
  await each(wanted.filter(isFile), async (file) => {
    const placing = { found: there.get(file.name) ?? null, fresh, bases, byContent, dryRun };
    if (await placeFile(target, file, placing)) sent.add(file.name);
  });
  if (!dryRun) {
    await each(wanted.filter(isLink), (link) => placeLink(target, link, there.get(link.name)?.target ?? null));
    await each(wanted.filter(isFolder), ({ name, mode, mtime }) =>
      remote.set(posix.join(place, name), { mode, mtime }),
    );
    await checkArrived(target, wanted, isApart);
  }
  return transferredOf(
    wanted.filter(({ name }) => sent.has(name)),
    gone,
  );
}

/** Sends files to a place that holds others as well. */
export async function sendFiles(target: Target, { paths, bases: given }: Files): Promise<Transferred> {
  if (paths.length === 0) return nothingSent;
  const { remote, tree, place, sent } = target;
  await makeFolders(target, foldersOf(paths));
  const bases = (await remote.canLink()) ? given : [];
  await each(paths, async (path) => {
    const file = await entryOf(tree, path);
    const there = posix.join(place, path);
    const placing = { found: await remote.look(there), fresh: false, bases, byContent: true, dryRun: false };
    if (await placeFile(target, file, placing)) sent.add(path);
    checkOne(file, await remote.look(there));
  });
  return transferredOf(await Promise.all([...sent].map((path) => entryOf(tree, path))), []);
}

/** Paths of files whose bytes are other than in the tree: each is read back where its size is the same. */
export async function compare(target: Target, { paths, mend = false, base }: Compared): Promise<string[]> {
  const { remote, tree, place, sent } = target;
  const bases = base !== undefined && (await remote.canLink()) ? [base] : [];
  if (mend) await makeFolders(target, foldersOf(paths));
  await each(paths, async (path) => {
    const file = await entryOf(tree, path);
    const there = posix.join(place, path);
    const found = await remote.look(there);
    const isSame = found?.kind === 'file' && found.size === file.size;
    if (isSame && (await sameContent(remote, posix.join(tree, path), there))) {
      if (mend && (found.mtime !== file.mtime || found.mode !== file.mode)) await remote.set(there, file);
      return;
    }
    sent.add(path);
    if (mend) await placeFile(target, file, { found: null, fresh: false, bases, byContent: true, dryRun: false });
  });
  return [...sent];
}

async function standingIn(remote: Remote, place: string): Promise<readonly ListedEntry[] | null> {
  if ((await remote.look(place)) === null) return null;
  const { entries, unread } = await listBelow(remote, place);
  if (unread === null) return entries;
  throw new MirrorError('verify', `${place} cannot be read as a whole: ${unread}`);
}

/** What is in the way or is not wanted any more, nothing below a directory that goes as well. */
function obsolete(wanted: readonly ListedEntry[], there: ReadonlyMap<string, ListedEntry>): string[] {
  const kinds = new Map(wanted.map(({ name, kind }) => [name, kind]));
  const gone = new Set<string>();
  for (const { name, kind } of there.values()) {
    const other = kinds.get(name);
    const stays = other !== undefined && (other === 'directory') === (kind === 'directory');
    if (!stays) gone.add(name);
  }
  return [...gone].filter((name) => !parentsOf(name).some((folder) => gone.has(folder)));
}

/** Makes directories of the place that are missing, those of one depth at a time. */
async function makeFolders({ remote, place }: Target, folders: readonly string[]): Promise<void> {
  const byDepth = Map.groupBy(folders, (path) => path.split('/').filter((part) => part !== '').length);
  for (const [, some] of [...byDepth].sort(([a], [b]) => a - b)) {
    await each(some, async (path) => {
      const folder = posix.join(place, path);
      if (await remote.makeDirectory(folder)) await remote.set(folder, { mode: 0o755 });
    });
  }
}

function foldersOf(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap(parentsOf))];
}

async function placeLink({ remote, place, temporary }: Target, link: ListedEntry, text: string | null): Promise<void> {
  if (link.target === text) return;
  const beside = posix.join(posix.dirname(place), temporary());
  await remote.makeLink(link.target ?? '', beside);
  await remote.rename(beside, posix.join(place, link.name));
}

/** Compares what stands there with what was sent, by names, sizes, times, modes and texts of links. */
async function checkArrived(
  { remote, place }: Target,
  wanted: readonly ListedEntry[],
  isApart: (entry: ListedEntry) => boolean,
): Promise<void> {
  const entries = ((await standingIn(remote, place)) ?? []).filter((entry) => !isApart(entry));
  const there = new Map(entries.map((entry) => [entry.name, entry]));
  for (const entry of wanted) checkOne(entry, there.get(entry.name) ?? null);
  const more =
    entries.length > wanted.length ? entries.find(({ name }) => !wanted.some((one) => one.name === name)) : undefined;
  if (more !== undefined) throw new MirrorError('verify', `${more.name} was not sent`);
}

function checkOne(wanted: ListedEntry, there: Partial<ListedEntry> | null): void {
  const { kind, name, mode, size, mtime, target } = wanted;
  const isSame = there?.kind === kind && (kind === 'link' ? there.target === target : there.mode === mode);
  if (isSame && (kind !== 'file' || (there.size === size && there.mtime === mtime))) return;
  throw new MirrorError('verify', `${name} did not arrive as it was sent`);
}

/** What was done, in the words of rsync. */
function transferredOf(sent: readonly ListedEntry[], gone: readonly string[]): Transferred {
  const changed = sent.map(({ name }) => name).sort();
  const lines = [...gone.map((path) => `*deleting   ${path}`), ...changed.map((path) => `<f+++++++++ ${path}`)];
  const bytes = sent.reduce((sum, { size }) => sum + size, 0);
  return { bytes, files: sent.length, changed, report: lines.map((line) => `${line}\n`).join('') };
}

const isFile = ({ kind }: ListedEntry) => kind === 'file';
const isFolder = ({ kind }: ListedEntry) => kind === 'directory';
const isLink = ({ kind }: ListedEntry) => kind === 'link';
