import { basename, dirname } from 'node:path';
import { linkedSnapshot, linksTo } from '../../pipelines/mirror/links.ts';
import type { ListedEntry } from '../../pipelines/mirror/listing.ts';
import { snapshotsOf } from '../../pipelines/mirror/names.ts';
import { parseMirrorUrl } from '../../pipelines/mirror/url.ts';
import { followWay, parentsOf } from '../../pipelines/mirror/way.ts';
import { createRsyncTransport } from './rsync/adapter.ts';
import { createSftpTransport } from './sftp/adapter.ts';
import type { Transport } from './transport.ts';
import { MirrorError, type MirrorHostConfig, type MirrorSet } from './types.ts';

/** What stands on a mirror, read at one moment. Links are by their path below the root. */
export interface HostView {
  readonly snapshots: readonly string[];
  readonly links: Readonly<Record<string, string>>;
  readonly entries: readonly ListedEntry[];
  /** Why some directory could not be read; null when all was. */
  readonly unread: string | null;
}

/** One host of a set. */
export interface MirrorHost {
  readonly name: string;
  /** Its paths are as they are on this host, with links on the way followed. */
  readonly set: MirrorSet;
  readonly transport: Transport;
  readonly view: () => Promise<HostView>;
}

/** A host whose links on the way have been followed, as it stands. */
export interface FoundHost {
  readonly host: MirrorHost;
  readonly view: HostView;
}

export function openHost(set: MirrorSet, name: string, signal?: AbortSignal): MirrorHost {
  const config = set.hosts[name] as MirrorHostConfig;
  const options = { set: set.name, timeout: set.timeout, bandwidth: set.bandwidth, signal };
  const url = parseMirrorUrl(config.url);
  const transport =
    url.kind === 'sftp' ? createSftpTransport(url, config, options) : createRsyncTransport(url, config, options);
  return hostAt(transport, { set, name });
}

function hostAt(transport: Transport, { set, name }: Pick<MirrorHost, 'set' | 'name'>): MirrorHost {
  return { name, set, transport, view: () => viewHost({ set, transport }) };
}

/** Lists the whole root but for the content of snapshots. @throws MirrorError `missing` when there is no root. */
async function viewHost({ set, transport }: Pick<MirrorHost, 'set' | 'transport'>): Promise<HostView> {
  const { entries, unread } = await transport.list('', set.snapshots).catch((error: MirrorError) => {
    if (!/No such file or directory/.test(error.message)) throw error;
    throw missing({ set, transport }, '');
  });
  const names = entries.flatMap(({ kind, name }) =>
    kind === 'directory' && dirname(name) === set.snapshots ? [basename(name)] : [],
  );
  const links = entries.flatMap(({ name, target }) => (target === null ? [] : [[name, target] as const]));
  return { entries, snapshots: snapshotsOf(set.name, names), links: Object.fromEntries(links), unread };
}

function missing({ set, transport }: Pick<MirrorHost, 'set' | 'transport'>, path: string): MirrorError {
  const how = set.init ? `\`sluice mirror sync ${set.name}\` makes it` : 'make it, or set init: true';
  return new MirrorError('missing', `${transport.at(path)} is not there: ${how}`);
}

/**
 * Looks at a host, and follows the links on the way to its root, snapshots and heads, so that nothing is ever sent over
 * one of them.
 *
 * @throws MirrorError `path` where something else stands on the way; `missing` when there is no root.
 */
export async function findHost(host: MirrorHost): Promise<FoundHost> {
  const rooted = await followRoot(host);
  const view = await rooted.view();
  const follow = (path: string, last: 'followed' | 'kept') => wayOrRefusal(rooted, view.entries, { path, last });
  const snapshots = follow(host.set.snapshots, 'followed');
  const heads = host.set.heads.map((path) => follow(path, 'kept'));
  const set = { ...host.set, snapshots, heads };
  if (set.snapshots === host.set.snapshots) return { host: hostAt(rooted.transport, { ...host, set }), view };
  const found = hostAt(rooted.transport, { ...host, set });
  return { host: found, view: await found.view() };
}

/** A daemon's root is sent as content from its module, so links on the way to it are followed here. */
async function followRoot(host: MirrorHost): Promise<MirrorHost> {
  const { above } = host.transport;
  if (above === null || above.path === '') return host;
  const entries: ListedEntry[] = [];
  for (let path = above.path; ; ) {
    entries.push(...(await above.list([...parentsOf(path), path])));
    const next = wayOrRefusal(host, entries, { path, last: 'followed' });
    if (next === path) return path === above.path ? host : hostAt(above.rooted(path), host);
    path = next;
  }
}

function wayOrRefusal(
  { transport }: MirrorHost,
  entries: readonly ListedEntry[],
  { path, last }: { readonly path: string; readonly last: 'followed' | 'kept' },
): string {
  const way = followWay(entries, path, last);
  if ('path' in way) return way.path;
  throw new MirrorError('path', `${way.blocked}, on the way to ${path} at ${transport.at('')}: name the folder itself`);
}

/** Makes the root and the directory of snapshots where they are missing and the set allows it. */
export async function prepareRoot(opened: MirrorHost): Promise<FoundHost> {
  const found = await findOrMake(opened);
  const { set, transport } = found.host;
  const there = found.view.entries.some(({ kind, name }) => kind === 'directory' && name === set.snapshots);
  if (!there) throw missing(found.host, set.snapshots);
  for (const head of set.heads) {
    const entry = found.view.entries.find(({ name }) => name === head);
    if (entry !== undefined && entry.kind !== 'link') {
      throw new MirrorError('head', `${transport.at(head)} is a ${entry.kind}, not a link: it is left alone`);
    }
  }
  return found;
}

async function findOrMake(opened: MirrorHost): Promise<FoundHost> {
  const { init } = opened.set;
  const found = await findHost(opened).catch((error: MirrorError) => {
    if (init && error.code === 'missing') return null;
    throw error;
  });
  if (!init || found?.view.entries.some(({ name }) => name === found.host.set.snapshots)) {
    return found ?? findHost(opened);
  }
  const host = found?.host ?? (await followRoot(opened));
  await host.transport.makeDirectory(host.set.snapshots);
  return findHost(opened);
}

/** The snapshot that the set's own link shows; null when there is none. */
export function shownSnapshot(set: MirrorSet, { links }: HostView): string | null {
  const text = links[`${set.snapshots}/${set.name}-latest`];
  return text === undefined ? null : linkedSnapshot(text);
}

/** Whether all links of the set show the snapshot, and it is there. */
export function shows(set: MirrorSet, view: HostView, snapshot: string): boolean {
  if (!view.snapshots.includes(snapshot)) return false;
  return linksTo({ ...set, set: set.name }, snapshot).every(
    ({ path }) => linkedSnapshot(view.links[path] ?? '') === snapshot,
  );
}
