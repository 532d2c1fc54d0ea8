import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { linkedSnapshot, linksTo, type MirrorLink, pushHistory } from '../../pipelines/mirror/links.ts';
import type { ListedEntry } from '../../pipelines/mirror/listing.ts';
import { parentsOf } from '../../pipelines/mirror/way.ts';
import type { FrozenSource } from './freeze.ts';
import type { HostView, MirrorHost } from './host.ts';
import type { HeldLock } from './lock.ts';
import { placePaths, readTexts, removeEntries, withTemporary } from './place.ts';
import { differences, probeNames } from './send.ts';
import type { Transaction } from './state.ts';
import { MirrorError } from './types.ts';

/** A host whose links are turned, the lock under which that is done, and what it shows as far as is known. */
export interface Turning {
  readonly host: MirrorHost;
  readonly lock: HeldLock | null;
  target: string | null;
}

/** The text of each of the set's links as they stand, for the way back. */
export function linksBefore({ set }: MirrorHost, { links }: HostView): Record<string, string | null> {
  return Object.fromEntries(linksTo({ ...set, set: set.name }, '-').map(({ path }) => [path, links[path] ?? null]));
}

/** Milliseconds for which an answer about the lock holds: the others may still be getting ready. */
const recent = 1_000;

/**
 * Does all that can be done ahead of pointing the set's links to the snapshot. What it answers with turns them, and
 * reads them back.
 *
 * @throws MirrorError `locked` when the lock is another's by now, `munged`, or rsync's code.
 */
export async function prepareFlip(turning: Turning, snapshot: string): Promise<() => Promise<void>> {
  const { host, lock } = turning;
  const links = linksTo({ ...host.set, set: host.set.name }, snapshot);
  const { entries } = await host.view();
  const planned = await planLinks(host, links, entries);
  await lock?.check();
  const checked = performance.now();
  return async () => {
    if (performance.now() - checked > recent) await lock?.check();
    await placeLinks(host, planned);
    turning.target = snapshot;
    const view = await host.view();
    const wrong = links.find(({ path, text }) => view.links[path] !== text);
    if (wrong === undefined) return;
    throw new MirrorError('munged', `${wrong.path} reads ${view.links[wrong.path] ?? 'nothing'}, not ${wrong.text}`);
  };
}

/** Links with what is sent beside them. */
interface PlannedLinks {
  readonly links: readonly MirrorLink[];
  /** Directories on the way that are missing. */
  readonly parents: readonly string[];
  /** What will stand in each link's history. */
  readonly histories: Readonly<Record<string, string>>;
}

async function planLinks(
  { transport }: MirrorHost,
  links: readonly MirrorLink[],
  entries: readonly ListedEntry[],
): Promise<PlannedLinks> {
  const before = await readTexts(transport, links.map(historyPath));
  const there = new Set(entries.map(({ name }) => name));
  const parents = new Set(links.flatMap(({ path }) => parentsOf(path)).filter((path) => !there.has(path)));
  const histories = links.map((link) => {
    const path = historyPath(link);
    return [path, pushHistory(before.get(path) ?? '', link.text)] as const;
  });
  return { links, parents: [...parents], histories: Object.fromEntries(histories) };
}

/**
 * Points links elsewhere, each by one rename on the mirror, and writes down where they pointed before. They are sent
 * from the root, because a daemon cuts links that lead upwards out of what is sent.
 */
async function placeLinks({ transport }: MirrorHost, { links, parents, histories }: PlannedLinks): Promise<void> {
  await withTemporary(async (directory) => {
    for (const link of links) {
      const place = join(directory, link.path);
      await mkdir(dirname(place), { recursive: true });
      await symlink(link.text, place);
      await writeFile(join(directory, historyPath(link)), histories[historyPath(link)] ?? '');
    }
    const paths = [...parents, ...links.flatMap((link) => [link.path, historyPath(link)])];
    await placePaths(transport, [directory, transport.at('')], { paths });
  });
}

function historyPath({ path }: MirrorLink): string {
  return `${path}.target.txt`;
}

/** Reads the index files of what the links now show, as clients will. @throws MirrorError `verify`. */
export async function checkShown(host: MirrorHost, { tree, content }: FrozenSource, snapshot: string): Promise<void> {
  const different = await differences(host, tree, { snapshot, paths: content.indexes });
  if (different[0] !== undefined) throw new MirrorError('verify', `${different[0]} is not what was sent`);
}

/**
 * Puts the links back as they were, those that show the transaction's snapshot or are gone: what another installation
 * has turned since is its own. A link that was not there is removed with its history.
 */
async function restoreLinks(host: MirrorHost, { snapshot, hosts }: Transaction): Promise<void> {
  const before = hosts[host.name] ?? {};
  const { links, entries } = await host.view();
  const ours = (text: string | undefined) => text === undefined || linkedSnapshot(text) === snapshot;
  const wrong = Object.entries(before).filter(([path, text]) => (links[path] ?? null) !== text && ours(links[path]));
  const back = wrong.flatMap(([path, text]) => (text === null ? [] : [{ path, text }]));
  if (back.length > 0) await placeLinks(host, await planLinks(host, back, entries));
  for (const [path, text] of wrong) {
    if (text !== null) continue;
    await removeEntries(host.transport, dirname(path), [basename(path), `${basename(path)}.target.txt`]);
  }
}

/** Takes a transaction back on one host: its links, and a snapshot that it made. */
export async function undoOn(host: MirrorHost, transaction: Transaction): Promise<void> {
  const { snapshot, fresh } = transaction;
  await restoreLinks(host, transaction);
  if (!fresh) return;
  const { set, transport } = host;
  await removeEntries(transport, set.snapshots, [snapshot, `${snapshot}.diff.txt`, ...probeNames(set)]);
}
