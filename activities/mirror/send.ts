import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foundEnd, foundFormat, type ListedEntry, parseFound, parseListing } from '../../pipelines/mirror/listing.ts';
import type { MirrorHost } from './host.ts';
import { escapePattern, listed, placeDirectories, placeEntries, publishedModes, withTemporary } from './place.ts';
import { MirrorError } from './types.ts';

/** What one transfer moved. `changed` are paths below the snapshot. */
export interface Transferred {
  readonly bytes: number;
  readonly files: number;
  readonly changed: readonly string[];
  readonly report: string;
}

export const nothingSent: Transferred = { bytes: 0, files: 0, changed: [], report: '' };

interface Sending {
  readonly snapshot: string;
  /** Snapshots on the host that files are linked from. */
  readonly bases: readonly string[];
  readonly how?: readonly string[];
  /** Folders that are left out, because the pool has them. */
  readonly shared?: readonly string[] | undefined;
}

/** Sends a tree into a snapshot; what did not change is linked to earlier ones. */
export async function sendSnapshot(
  { set, transport }: MirrorHost,
  tree: string,
  { snapshot, bases, how = [], shared = [] }: Sending,
): Promise<Transferred> {
  const place = `${set.snapshots}/${snapshot}`;
  const isNew = !how.includes('--dry-run') && transport.top !== null;
  if (isNew) await placeDirectories(transport, transport.at(''), [place]);
  const linked = bases.map((base) => `--link-dest=${transport.base(`${set.snapshots}/${base}`)}`);
  const apart = shared.map((folder) => `--exclude=/${escapePattern(folder)}`);
  const kept = ['--recursive', '--links', '--perms', '--times', '--force', '--delete', publishedModes, ...apart];
  const told = ['--stats', '--no-human-readable', '--out-format=%i %n'];
  const report = await transport.rsync([...kept, ...told, ...how, ...linked, `${tree}/`, `${transport.at(place)}/`]);
  return transferredOf(report);
}

/** Reads what rsync says with `--stats` and `--out-format=%i %n`. */
export function transferredOf(report: string): Transferred {
  const number = (label: string) => Number(new RegExp(`^${label}: (\\d+)`, 'm').exec(report)?.[1] ?? '0');
  return {
    bytes: number('Total transferred file size'),
    files: number('Number of regular files transferred'),
    changed: sentPaths(report),
    report,
  };
}

/** Puts the transfer's report beside the snapshot, and links by their paths below it. */
export async function sendReport(
  { set, transport }: MirrorHost,
  snapshot: string,
  { report, links }: { readonly report: string; readonly links: Readonly<Record<string, string>> },
): Promise<void> {
  const place = `${set.snapshots}/${snapshot}`;
  const placed = Object.entries(links).map(([path, text]) => [`${place}/${path}`, text] as const);
  await placeEntries(transport, { texts: { [`${place}.diff.txt`]: report }, links: Object.fromEntries(placed) });
}

interface Compared {
  readonly snapshot: string;
  /** The only ones that are read, below the tree and the snapshot. */
  readonly paths: readonly string[];
  /** Another snapshot on the host to link from. */
  readonly base?: string;
}

/** Paths that differ between a tree here and a snapshot there, by checksum. */
export function differences(host: MirrorHost, tree: string, compared: Compared): Promise<string[]> {
  return compare(host, tree, compared, ['--dry-run']);
}

/** Sends the paths that differ by checksum, and answers with them. */
export function mendDifferences(host: MirrorHost, tree: string, compared: Compared): Promise<string[]> {
  return compare(host, tree, compared, ['--times', '--perms', publishedModes]);
}

async function compare(
  { set, transport }: MirrorHost,
  tree: string,
  { snapshot, paths, base }: Compared,
  how: readonly string[],
): Promise<string[]> {
  if (paths.length === 0) return [];
  return withTemporary(async (directory) => {
    const list = join(directory, 'paths');
    await writeFile(list, listed(paths));
    const limits = ['--from0', `--files-from=${list}`, '--checksum', '--out-format=%i %n', ...how];
    if (base !== undefined) limits.push(`--link-dest=${transport.base(`${set.snapshots}/${base}`)}`);
    const target = transport.at(`${set.snapshots}/${snapshot}/`);
    return sentPaths(await transport.rsync([...limits, `${tree}/`, target]));
  });
}

function sentPaths(report: string): string[] {
  return [...report.matchAll(/^[<>]f\S+ (.*)$/gm)].map(([, path = '']) => path);
}

const listScript = `cd -- "$1" && find . -mindepth 1 -printf '${foundFormat}' && printf ${foundEnd}`;

/** Everything that a snapshot on the host holds: by its own `find` where it has a GNU one, because rsync takes longer. */
export async function listSnapshot({ set, transport }: MirrorHost, snapshot: string): Promise<ListedEntry[]> {
  const printed = await transport.shell?.(listScript, [transport.directory(`${set.snapshots}/${snapshot}`)]);
  const found = parseFound(printed ?? '');
  if (found !== null) return found;
  const { text, complete, said } = await transport.list([
    '--recursive',
    `${transport.at(`${set.snapshots}/${snapshot}`)}/`,
  ]);
  if (!complete) throw new MirrorError('verify', `${snapshot} cannot be read as a whole: ${said}`);
  return parseListing(text);
}
