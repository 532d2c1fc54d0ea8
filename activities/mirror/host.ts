import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
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
  if (set.init) {
    await withTemporary((empty) =>
      transport.rsync(['--recursive', '--mkpath', `${empty}/`, `${transport.at(set.snapshots)}/`]),
    );
  }
  const view = await host.view();
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

/** Paths that differ between a tree here and a snapshot there, by checksum; only `paths` are read. */
export function differences(
  host: MirrorHost,
  tree: string,
  { snapshot, paths }: { snapshot: string; paths: readonly string[] },
): Promise<string[]> {
  return differencesAt(host, tree, { place: `${host.set.snapshots}/${snapshot}`, paths });
}

/** Likewise for any directory of the mirror, or a link to one. */
export async function differencesAt(
  { transport }: MirrorHost,
  tree: string,
  { place, paths }: { readonly place: string; readonly paths: readonly string[] },
): Promise<string[]> {
  if (paths.length === 0) return [];
  return withTemporary(async (directory) => {
    const list = join(directory, 'paths');
    await writeFile(list, paths.join('\0'));
    const limits = ['--from0', `--files-from=${list}`, '--checksum', '--dry-run', '--out-format=%i %n'];
    const report = await transport.rsync([...limits, `${tree}/`, transport.at(`${place}/`)]);
    return [...report.matchAll(/^[<>]f\S+ (.*)$/gm)].map(([, path = '']) => path);
  });
}

/** Points a link elsewhere, by one rename on the mirror, and writes down where it pointed before. */
export async function flipLink(host: MirrorHost, link: MirrorLink): Promise<void> {
  const { transport } = host;
  await withTemporary(async (directory) => {
    const history = await readText(host, `${link.path}.target.txt`);
    const name = basename(link.path);
    await symlink(link.text, join(directory, name));
    await writeFile(join(directory, `${name}.target.txt`), pushHistory(history, link.text));
    await mkdirOnMirror(host, dirname(link.path));
    const parent = dirname(link.path) === '.' ? transport.at('') : `${transport.at(dirname(link.path))}/`;
    await transport.rsync(['--recursive', '--links', `${directory}/`, parent]);
  });
}

/** Removes entries from a directory of the mirror, whole trees as well. */
export async function removeEntries(host: MirrorHost, directory: string, names: readonly string[]): Promise<void> {
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

/** A small file of the mirror as text; empty when it is not there. */
export async function readText({ transport }: MirrorHost, path: string): Promise<string> {
  return withTemporary(async (directory) => {
    const to = join(directory, 'text');
    const missing = await transport.rsync(['--copy-links', transport.at(path), to]).then(
      () => false,
      (error: MirrorError) => {
        if (error.code === 'rsync:23') return true;
        throw error;
      },
    );
    return missing ? '' : readFile(to, 'utf8');
  });
}

/** A link that is stored otherwise than it was sent shows that the daemon munges links. */
export async function probeLinks(host: MirrorHost): Promise<void> {
  const { set, transport } = host;
  const name = `.${set.name}-probe`;
  await withTemporary(async (directory) => {
    await symlink('probe-target', join(directory, name));
    await transport.rsync(['--links', join(directory, name), `${transport.at(set.snapshots)}/`]);
  });
  const { links } = await host.view();
  const stored = links[`${set.snapshots}/${name}`];
  await removeEntries(host, set.snapshots, [name]);
  if (stored === 'probe-target') return;
  throw new MirrorError(
    'munged',
    `links are stored as ${stored ?? 'nothing'}: set "munge symlinks = no" on the daemon`,
  );
}

async function mkdirOnMirror({ set, transport }: MirrorHost, path: string): Promise<void> {
  if (path === '.' || path === set.snapshots) return;
  await withTemporary((empty) => transport.rsync(['--recursive', '--mkpath', `${empty}/`, `${transport.at(path)}/`]));
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
