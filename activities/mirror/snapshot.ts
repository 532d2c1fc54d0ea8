import type { ListedEntry } from '../../pipelines/mirror/listing.ts';
import type { MirrorHost } from './host.ts';
import type { Compared, Sending, Transferred } from './transport.ts';
import { MirrorError } from './types.ts';

/** Where a snapshot, or the pool, stands on a host. */
export function placeOf({ set }: Pick<MirrorHost, 'set'>, snapshot: string): string {
  return `${set.snapshots}/${snapshot}`;
}

/** Sends a tree into a snapshot; what did not change is linked to those in `bases`. */
export function sendSnapshot(
  host: MirrorHost,
  tree: string,
  { snapshot, bases, ...how }: Sending & { readonly snapshot: string },
): Promise<Transferred> {
  const sending = { ...how, bases: bases.map((base) => placeOf(host, base)) };
  return host.transport.send(tree, placeOf(host, snapshot), sending);
}

/** Puts the transfer's report beside the snapshot, and links by their paths below it. */
export function sendReport(
  host: MirrorHost,
  snapshot: string,
  { report, links }: { readonly report: string; readonly links: Readonly<Record<string, string>> },
): Promise<void> {
  const place = placeOf(host, snapshot);
  const placed = Object.entries(links).map(([path, text]) => [`${place}/${path}`, text] as const);
  return host.transport.place({ texts: { [`${place}.diff.txt`]: report }, links: Object.fromEntries(placed) });
}

/** Paths, of those given, whose content differs between a tree here and a snapshot there. */
export function differences(
  host: MirrorHost,
  tree: string,
  { snapshot, ...compared }: Pick<Compared, 'paths' | 'files'> & { readonly snapshot: string },
): Promise<string[]> {
  return host.transport.compare(tree, placeOf(host, snapshot), compared);
}

interface Mended {
  readonly snapshot: string;
  readonly paths: readonly string[];
  /** Another snapshot on the host to link from. */
  readonly base?: string;
}

/** Sends the paths whose content differs, and answers with them. */
export function mendDifferences(host: MirrorHost, tree: string, { snapshot, paths, base }: Mended): Promise<string[]> {
  const linked = base === undefined ? {} : { base: placeOf(host, base) };
  return host.transport.compare(tree, placeOf(host, snapshot), { paths, mend: true, ...linked });
}

/** Everything that a snapshot on the host holds. @throws MirrorError `verify` where a part of it cannot be read. */
export async function listSnapshot(host: MirrorHost, snapshot: string): Promise<readonly ListedEntry[]> {
  const { entries, unread } = await host.transport.list(placeOf(host, snapshot));
  if (unread !== null) throw new MirrorError('verify', `${snapshot} cannot be read as a whole: ${unread}`);
  return entries;
}
