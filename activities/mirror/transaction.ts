import { basename } from 'node:path';
import { linksTo } from '../../pipelines/mirror/links.ts';
import { indexPaths } from './content.ts';
import { differencesAt, flipLink, type HostView, type MirrorHost, removeEntries, shows } from './host.ts';
import type { Transaction } from './state.ts';
import { MirrorError } from './types.ts';

/** The text of each of the set's links as they stand, for the way back. */
export function linksBefore({ set }: MirrorHost, { links }: HostView): Record<string, string | null> {
  return Object.fromEntries(linksTo({ ...set, set: set.name }, '-').map(({ path }) => [path, links[path] ?? null]));
}

/** Points all of the set's links to the snapshot and reads them back. @throws MirrorError `munged` or rsync's code. */
export async function flipAll(host: MirrorHost, snapshot: string): Promise<void> {
  const links = linksTo({ ...host.set, set: host.set.name }, snapshot);
  for (const link of links) await flipLink(host, link);
  const view = await host.view();
  if (shows(host.set, view, snapshot)) return;
  const wrong = links.find(({ path, text }) => view.links[path] !== text);
  throw new MirrorError('munged', `${wrong?.path ?? snapshot} reads ${view.links[wrong?.path ?? ''] ?? 'nothing'}`);
}

/** Reads the index files through every link, as clients will. @throws MirrorError `verify`. */
export async function checkShown(host: MirrorHost, tree: string): Promise<void> {
  const paths = await indexPaths(tree);
  for (const { path } of linksTo({ ...host.set, set: host.set.name }, '-')) {
    const different = await differencesAt(host, tree, { place: path, paths });
    if (different[0] !== undefined) throw new MirrorError('verify', `${path}/${different[0]} is not what was sent`);
  }
}

/** Puts the links back as they were; a link that was not there is removed with its history. */
export async function restoreLinks(host: MirrorHost, before: Readonly<Record<string, string | null>>): Promise<void> {
  const { links } = await host.view();
  for (const [path, text] of Object.entries(before)) {
    if ((links[path] ?? null) === text) continue;
    if (text !== null) await flipLink(host, { path, text });
    else await removeEntries(host, parentOf(path), [basename(path), `${basename(path)}.target.txt`]);
  }
}

/** Removes a snapshot that no link shows, with what stands beside it. */
export async function discardSnapshot(host: MirrorHost, snapshot: string): Promise<void> {
  await removeEntries(host, host.set.snapshots, [snapshot, `${snapshot}.diff.txt`]);
}

/** Takes a transaction back on one host. */
export async function undoOn(host: MirrorHost, { snapshot, fresh, hosts }: Transaction): Promise<void> {
  await restoreLinks(host, hosts[host.name] ?? {});
  if (fresh) await discardSnapshot(host, snapshot);
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
}
