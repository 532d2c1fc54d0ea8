import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, posix } from 'node:path';
import { linkedSnapshot, linksTo, type MirrorLink, pushHistory } from '../../pipelines/mirror/links.ts';
import { type ListedEntry, parseListing } from '../../pipelines/mirror/listing.ts';
import { snapshotsOf } from '../../pipelines/mirror/names.ts';
import { createTransport, type Transport } from './rsync.ts';
import { MirrorError, type MirrorHostConfig, type MirrorSet } from './types.ts';

/** What stands on a mirror, read at one moment. Links are by their path below the root. */
export interface HostView {
  readonly snapshots: readonly string[];
  readonly links: Readonly<Record<string, string>>;
  readonly entries: readonly ListedEntry[];
}

/** What one transfer moved. `changed` are paths below the snapshot. */
export interface Transferred {
  readonly bytes: number;
  readonly files: number;
  readonly changed: readonly string[];
  readonly report: string;
}

/** One host of a set: its operations, each a transfer or two. */
export interface MirrorHost {
  readonly name: string;
  readonly set: MirrorSet;
  readonly transport: Transport;
  readonly view: () => Promise<HostView>;
}

export function openHost(set: MirrorSet, name: string, signal?: AbortSignal): MirrorHost {
  const config = set.hosts[name] as MirrorHostConfig;
  const transport = createTransport(config, { timeout: set.timeout, signal });
  const host = { name, set, transport };
  return { ...host, view: () => viewHost(host) };
}

type Bare = Pick<MirrorHost, 'set' | 'transport'>;

/** Lists the whole root but for the content of snapshots. @throws MirrorError `missing` when there is no root. */
async function viewHost({ set, transport }: Bare): Promise<HostView> {
  const inside = `--exclude=/${escapePattern(set.snapshots)}/*/*`;
  const text = await transport
    .rsync(['--recursive', '--links', '--list-only', inside, transport.at('')])
    .catch((error: MirrorError) => {
      if (!/No such file or directory/.test(error.message)) throw error;
      throw new MirrorError('missing', `${transport.at('')} is not there: make it, or set init: true`);
    });
  const entries = parseListing(text);
  const names = entries.flatMap(({ kind, name }) =>
    kind === 'directory' && dirname(name) === set.snapshots ? [basename(name)] : [],
  );
  const links = entries.flatMap(({ name, target }) => (target === null ? [] : [[name, target] as const]));
  return { entries, snapshots: snapshotsOf(set.name, names), links: Object.fromEntries(links) };
}

/** Makes the root and the directory of snapshots where they are missing and the set allows it. */
export async function prepareRoot(host: MirrorHost): Promise<HostView> {
  const { set, transport } = host;
  const view = await viewOrMake(host);
  const there = view.entries.some(({ kind, name }) => kind === 'directory' && name === set.snapshots);
  if (!there) throw new MirrorError('missing', `${transport.at(set.snapshots)} is not there: set init: true`);
  for (const head of set.heads) {
    const entry = view.entries.find(({ name }) => name === head);
    if (entry !== undefined && entry.kind !== 'link') {
      throw new MirrorError('head', `${transport.at(head)} is a ${entry.kind}, not a link: it is left alone`);
    }
  }
  return view;
}

async function viewOrMake(host: MirrorHost): Promise<HostView> {
  const { set } = host;
  const view = await host.view().catch((error: MirrorError) => {
    if (set.init && error.code === 'missing') return null;
    throw error;
  });
  const complete = view?.entries.some(({ name }) => name === set.snapshots) ?? false;
  if (view !== null && (complete || !set.init)) return view;
  await makeDirectory(host, set.snapshots);
  return host.view();
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

/** Sends a tree into a snapshot; what did not change is linked to the previous one. */
export async function sendSnapshot(
  { set, transport }: MirrorHost,
  tree: string,
  { snapshot, previous, dryRun = false }: { snapshot: string; previous: string | null; dryRun?: boolean },
): Promise<Transferred> {
  if (transport.top !== null && !dryRun) await makeDirectory({ set, transport }, `${set.snapshots}/${snapshot}`);
  const base = previous === null ? [] : [`--link-dest=../${previous}`];
  const kept = ['--recursive', '--links', '--perms', '--times', '--force', '--delete'];
  const told = ['--stats', '--out-format=%i %n', ...(dryRun ? ['--dry-run'] : [])];
  const target = transport.at(`${set.snapshots}/${snapshot}/`);
  const report = await transport.rsync([...kept, ...told, ...base, `${tree}/`, target]);
  const changed = [...report.matchAll(/^[<>]f\S+ (.*)$/gm)].map(([, path = '']) => path);
  const number = (label: string) =>
    Number((new RegExp(`^${label}: ([\\d,]+)`, 'm').exec(report)?.[1] ?? '0').replaceAll(',', ''));
  return {
    bytes: number('Total transferred file size'),
    files: number('Number of regular files transferred'),
    changed,
    report,
  };
}

/** Puts the transfer's report beside the snapshot. */
export async function sendReport({ set, transport }: MirrorHost, snapshot: string, report: string): Promise<void> {
  await withTemporary(async (directory) => {
    await writeFile(join(directory, `${snapshot}.diff.txt`), report);
    await transport.rsync(['--recursive', '--times', `${directory}/`, `${transport.at(set.snapshots)}/`]);
  });
}

interface Compared {
  readonly snapshot: string;
  /** The only ones that are read, below the tree and the snapshot. */
  readonly paths: readonly string[];
}

/** Paths that differ between a tree here and a snapshot there, by checksum. */
export function differences(host: MirrorHost, tree: string, compared: Compared): Promise<string[]> {
  return compare(host, tree, compared, ['--dry-run']);
}

/** Sends the paths that differ by checksum, and answers with them. */
export function mendDifferences(host: MirrorHost, tree: string, compared: Compared): Promise<string[]> {
  return compare(host, tree, compared, ['--times', '--perms']);
}

async function compare(
  { set, transport }: MirrorHost,
  tree: string,
  { snapshot, paths }: Compared,
  how: readonly string[],
): Promise<string[]> {
  if (paths.length === 0) return [];
  return withTemporary(async (directory) => {
    const list = join(directory, 'paths');
    await writeFile(list, paths.join('\0'));
    const limits = ['--from0', `--files-from=${list}`, '--checksum', '--out-format=%i %n', ...how];
    const target = transport.at(`${set.snapshots}/${snapshot}/`);
    const report = await transport.rsync([...limits, `${tree}/`, target]);
    return [...report.matchAll(/^[<>]f\S+ (.*)$/gm)].map(([, path = '']) => path);
  });
}

/**
 * Points links elsewhere, each by one rename on the mirror, and writes down where they pointed before. They are sent as
 * a tree from the root, because a daemon cuts links that lead upwards out of what is sent.
 */
export async function flipLinks({ set, transport }: Bare, links: readonly MirrorLink[]): Promise<void> {
  const histories = await readTexts({ set, transport }, links.map(historyPath));
  await withTemporary(async (directory) => {
    for (const link of links) {
      const place = join(directory, link.path);
      await mkdir(dirname(place), { recursive: true });
      await symlink(link.text, place);
      const history = histories.get(historyPath(link)) ?? '';
      await writeFile(join(directory, historyPath(link)), pushHistory(history, link.text));
    }
    await transport.rsync(['--recursive', '--links', `${directory}/`, transport.at('')]);
  });
}

function historyPath({ path }: MirrorLink): string {
  return `${path}.target.txt`;
}

/** Removes entries from a directory of the mirror, whole trees as well. */
export async function removeEntries(host: Bare, directory: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { transport } = host;
  const chosen = names.flatMap((name) => [
    `--include=/${escapePattern(name)}`,
    `--include=/${escapePattern(name)}/***`,
  ]);
  const target = directory === '.' ? transport.at('') : `${transport.at(directory)}/`;
  await withTemporary((empty) =>
    transport.rsync(['--recursive', '--delete', '--force', ...chosen, '--exclude=*', `${empty}/`, target]),
  );
}

/** A small file of the mirror as text, links followed; empty when it is not there. */
export async function readText(host: Bare, path: string): Promise<string> {
  return (await readTexts(host, [path])).get(path) ?? '';
}

/** Small files of the mirror by path; those that are not there are left out. */
async function readTexts({ transport }: Bare, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await withTemporary(async (directory) => {
    const { place, path: prefix } = transport.top ?? { place: transport.at(''), path: '' };
    const list = `${directory}.paths`;
    await writeFile(list, paths.map((path) => posix.join(prefix, path)).join('\0'));
    const named = ['--from0', `--files-from=${list}`, '--ignore-missing-args', '--copy-links'];
    // A link that leads nowhere is reported as a file that vanished or cannot be read: it is not there either.
    await transport.rsync([...named, place, `${directory}/`]).catch((error: MirrorError) => {
      if (error.code !== 'rsync:23' && error.code !== 'rsync:24') throw error;
    });
    for (const path of paths) {
      const text = await readFile(join(directory, prefix, path), 'utf8').catch(() => null);
      if (text !== null) found.set(path, text);
    }
  });
  return found;
}

/**
 * Sends a link and reads the file that it leads to. A daemon that munges links shows them unharmed in listings, and
 * stores them broken.
 */
export async function probeLinks(host: MirrorHost): Promise<void> {
  const { set, transport } = host;
  const [link, file] = probeNames(set);
  await withTemporary(async (directory) => {
    await symlink(file, join(directory, link));
    await writeFile(join(directory, file), link);
    await transport.rsync(['--recursive', '--links', `${directory}/`, `${transport.at(set.snapshots)}/`]);
  });
  const found = await readText(host, `${set.snapshots}/${link}`);
  await removeEntries(host, set.snapshots, [link, file]);
  if (found === link) return;
  throw new MirrorError('munged', 'a link that was sent leads nowhere: set "munge symlinks = no" on the daemon');
}

/** What a probe leaves below the directory of snapshots while it goes on. */
export function probeNames({ name }: MirrorSet): readonly [link: string, file: string] {
  return [`.${name}-probe`, `.${name}-probe.txt`];
}

async function makeDirectory({ transport }: Bare, path: string): Promise<void> {
  const { top } = transport;
  await withTemporary(async (directory) => {
    if (top !== null) await mkdir(join(directory, top.path, path), { recursive: true });
    const target = top === null ? `${transport.at(path)}/` : top.place;
    await transport.rsync(['--recursive', '--mkpath', `${directory}/`, target]);
  });
}

export async function withTemporary<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-mirror-'));
  const inner = join(directory, 'content');
  try {
    await mkdir(inner, { mode: 0o755 });
    return await work(inner);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** In rsync's patterns a backslash makes the next character stand for itself, if there is a wildcard at all. */
function escapePattern(name: string): string {
  return /[*?[]/.test(name) ? name.replace(/[\\*?[\]]/g, '\\$&') : name;
}
