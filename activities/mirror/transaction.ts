import { basename } from 'node:path';
import { linksTo } from '../../pipelines/mirror/links.ts';
import { indexPaths } from './content.ts';
import { differences, flipLinks, type HostView, type MirrorHost, probeNames, removeEntries } from './host.ts';
import type { Transaction } from './state.ts';
import { MirrorError } from './types.ts';

/** The text of each of the set's links as they stand, for the way back. */
export function linksBefore({ set }: MirrorHost, { links }: HostView): Record<string, string | null> {
  return Object.fromEntries(linksTo({ ...set, set: set.name }, '-').map(({ path }) => [path, links[path] ?? null]));
}

/** Points all of the set's links to the snapshot and reads them back. @throws MirrorError `munged` or rsync's code. */
export async function flipAll(host: MirrorHost, snapshot: string): Promise<void> {
  const links = linksTo({ ...host.set, set: host.set.name }, snapshot);
  await flipLinks(host, links);
  const view = await host.view();
  const wrong = links.find(({ path, text }) => view.links[path] !== text);
  if (wrong === undefined) return;
  throw new MirrorError('munged', `${wrong.path} reads ${view.links[wrong.path] ?? 'nothing'}, not ${wrong.text}`);
}

/** Reads the index files of what the links now show, as clients will. @throws MirrorError `verify`. */
export async function checkShown(host: MirrorHost, tree: string, snapshot: string): Promise<void> {
  const different = await differences(host, tree, { snapshot, paths: await indexPaths(tree) });
  if (different[0] !== undefined) throw new MirrorError('verify', `${different[0]} is not what was sent`);
}

/** Puts the links back as they were; a link that was not there is removed with its history. */
async function restoreLinks(host: MirrorHost, before: Readonly<Record<string, string | null>>): Promise<void> {
  const { links } = await host.view();
  const wrong = Object.entries(before).filter(([path, text]) => (links[path] ?? null) !== text);
  const back = wrong.flatMap(([path, text]) => (text === null ? [] : [{ path, text }]));
  if (back.length > 0) await flipLinks(host, back);
  for (const [path, text] of wrong) {
    if (text === null) await removeEntries(host, parentOf(path), [basename(path), `${basename(path)}.target.txt`]);
  }
}

/** Removes a snapshot that no link shows, with what stands beside it and what staging was at. */
async function discardSnapshot(host: MirrorHost, snapshot: string): Promise<void> {
  const { set } = host;
  await removeEntries(host, set.snapshots, [snapshot, `${snapshot}.diff.txt`, ...probeNames(set)]);
}

/** Takes a transaction back on one host. */
export async function undoOn(host: MirrorHost, { snapshot, fresh, hosts }: Transaction): Promise<void> {
  await restoreLinks(host, hosts[host.name] ?? {});
  if (fresh) await discardSnapshot(host, snapshot);
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
}
