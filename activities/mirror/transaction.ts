import { basename, dirname } from 'node:path';
import { linkedSnapshot, linksTo, type MirrorLink, pushHistory } from '../../pipelines/mirror/links.ts';
import type { ListedEntry } from '../../pipelines/mirror/listing.ts';
import { parentsOf } from '../../pipelines/mirror/way.ts';
import type { FrozenSource } from './freeze.ts';
import type { HostView, MirrorHost } from './host.ts';
import type { HeldLock } from './lock.ts';
import { undoPool } from './pool.ts';
import { settleAll } from './settle.ts';
import { differences } from './snapshot.ts';
import type { SetState, Transaction } from './state.ts';
import type { SmallEntries } from './transport.ts';
import { MirrorError } from './types.ts';

/** A host whose links are turned, the lock under which that is done, and how it stands as far as is known. */
export interface Turning {
  readonly host: MirrorHost;
  readonly lock: HeldLock | null;
  target: string | null;
  view: HostView | null;
}

/** Links that are ready to be turned. */
export interface PreparedFlip {
  /** Whether they are to lead to this snapshot, and the lock was ours a moment ago. */
  isReady(snapshot: string): boolean;
  /** @throws MirrorError `locked` when the lock is another's by now, or rsync's code. */
  turn(): Promise<void>;
  /** Looks at the host anew. @throws MirrorError `munged` where a link is not what was sent. */
  readBack(): Promise<void>;
}

/** The text of each of the set's links as they stand, for the way back. */
export function linksBefore({ set }: MirrorHost, { links }: HostView): Record<string, string | null> {
  return Object.fromEntries(linksTo({ ...set, set: set.name }, '-').map(({ path }) => [path, links[path] ?? null]));
}

/** Milliseconds for which an answer about the lock holds: the others may still be getting ready. */
const recent = 1_000;

/**
 * Does all that can be done ahead of pointing the set's links to the snapshot.
 *
 * @throws MirrorError `locked` when the lock is another's by now, or rsync's code.
 */
export async function prepareFlip(turning: Turning, snapshot: string): Promise<PreparedFlip> {
  const { host, lock } = turning;
  const links = linksTo({ ...host.set, set: host.set.name }, snapshot);
  const paths = links.map(historyPath);
  let checked = 0;
  const read = async () => {
    const texts = await (lock?.check(paths) ?? host.transport.readTexts(paths));
    checked = performance.now();
    return texts;
  };
  const [{ entries }, before] = await settleAll([turning.view ?? host.view(), read()]);
  const planned = planLinks(links, { entries, before });
  const isRecent = () => performance.now() - checked <= recent;
  return {
    isReady: (other) => other === snapshot && isRecent(),
    turn: async () => {
      if (!isRecent()) await lock?.check();
      await host.transport.place(planned);
      turning.target = snapshot;
    },
    readBack: async () => {
      const view = await host.view();
      const wrong = links.find(({ path, text }) => view.links[path] !== text);
      if (wrong !== undefined) {
        const read = view.links[wrong.path] ?? 'nothing';
        throw new MirrorError('munged', `${wrong.path} reads ${read}, not ${wrong.text}`);
      }
      turning.view = view;
    },
  };
}

interface Standing {
  readonly entries: readonly ListedEntry[];
  /** Texts of histories, by their paths. */
  readonly before: ReadonlyMap<string, string>;
}

/** Links with where they pointed before, and the directories on the way that are missing. */
function planLinks(links: readonly MirrorLink[], { entries, before }: Standing): SmallEntries {
  const there = new Set(entries.map(({ name }) => name));
  const parents = new Set(links.flatMap(({ path }) => parentsOf(path)).filter((path) => !there.has(path)));
  const histories = links.map((link) => {
    const path = historyPath(link);
    return [path, pushHistory(before.get(path) ?? '', link.text)] as const;
  });
  const turned = Object.fromEntries(links.map(({ path, text }) => [path, text]));
  return { directories: [...parents], links: turned, texts: Object.fromEntries(histories) };
}

function historyPath({ path }: MirrorLink): string {
  return `${path}.target.txt`;
}

/** Reads the index files of what the links now show, as clients will. @throws MirrorError `verify`. */
export async function checkShown(host: MirrorHost, frozen: FrozenSource, snapshot: string): Promise<void> {
  const { tree, content, manifest } = frozen;
  const different = await differences(host, tree, { snapshot, paths: content.indexes, files: manifest.files });
  if (different[0] !== undefined) throw new MirrorError('verify', `${different[0]} is not what was sent`);
}

/**
 * Puts the links back as they were, those that show the transaction's snapshot or are gone: what another installation
 * has turned since is its own. A link that was not there is removed with its history.
 */
async function restoreLinks(host: MirrorHost, { snapshot, hosts }: Transaction): Promise<HostView> {
  const before = hosts[host.name] ?? {};
  const view = await host.view();
  const { links, entries } = view;
  const ours = (text: string | undefined) => text === undefined || linkedSnapshot(text) === snapshot;
  const wrong = Object.entries(before).filter(([path, text]) => (links[path] ?? null) !== text && ours(links[path]));
  const back = wrong.flatMap(([path, text]) => (text === null ? [] : [{ path, text }]));
  if (back.length > 0) {
    const before = await host.transport.readTexts(back.map(historyPath));
    await host.transport.place(planLinks(back, { entries, before }));
  }
  for (const [path, text] of wrong) {
    if (text !== null) continue;
    await host.transport.remove(dirname(path), [basename(path), `${basename(path)}.target.txt`]);
  }
  return view;
}

/** Takes a transaction back on one host: its links, a snapshot that it made, and what came to the pool with it. */
export async function undoOn(host: MirrorHost, state: SetState, transaction: Transaction): Promise<void> {
  const { snapshot, fresh } = transaction;
  const view = await restoreLinks(host, transaction);
  if (!fresh) return;
  const { set, transport } = host;
  await transport.remove(set.snapshots, [snapshot, `${snapshot}.diff.txt`]);
  await undoPool({ host, view }, state, transaction);
}
