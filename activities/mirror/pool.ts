import type { Manifest, ManifestFile } from '../../pipelines/mirror/manifest.ts';
import {
  clashesWith,
  isSure,
  lackingIn,
  needless,
  type PoolFile,
  type PoolRecord,
  poolWith,
  removals,
  without,
} from '../../pipelines/mirror/pool.ts';
import { poolName, splitShared } from '../../pipelines/mirror/shared.ts';
import type { FrozenSource } from './freeze.ts';
import type { HostView, MirrorHost } from './host.ts';
import { differences, listSnapshot, placeOf } from './snapshot.ts';
import type { SetState, Transaction } from './state.ts';
import { nothingSent, type Transferred } from './transport.ts';
import { MirrorError } from './types.ts';

/** What a host's pool is to get for a state. */
export interface PoolPlan {
  /** What it holds before. */
  readonly record: PoolRecord;
  readonly wanted: Manifest;
  readonly lacking: readonly string[];
}

interface Standing {
  readonly host: MirrorHost;
  readonly view: HostView | null;
}

/**
 * Compares what a state shares with others with what the host's pool has; null where it shares nothing. Nothing is sent.
 *
 * @throws MirrorError `immutable` where a file of the pool has the same name and other content
 */
export async function planPool(
  { host, view }: Standing,
  state: SetState,
  { tree, manifest }: Pick<FrozenSource, 'tree' | 'manifest'>,
): Promise<PoolPlan | null> {
  const wanted = splitShared(manifest, host.set.name).pool;
  if (wanted === null) return null;
  const saved = await state.pool(host.name);
  const standing = view?.snapshots ?? [];
  const sure = saved !== null && isSure(saved, standing);
  const record = sure ? saved : await takeStock(host, view, { tree, wanted });
  // Who takes the transaction back needs to know what was there before.
  if (!sure) await state.savePool(host.name, record);
  const clash = clashesWith(record, wanted.files)[0];
  if (clash === undefined) {
    // Of a damaged one nothing is believed: what is the same is compared, and not sent again.
    const damaged = (await state.damaged())[host.name] !== undefined;
    const believed = damaged ? without(record, Object.keys(wanted.files), 'gone') : record;
    return { record: believed, wanted, lacking: lackingIn(believed, wanted.files) };
  }
  throw new MirrorError(
    'immutable',
    `${clash} is in the pool with other content, and older snapshots may name it: give the package a new version, or the set \`layout: snapshots\``,
  );
}

/** What a pool holds of which not enough was written down here. What of it is wanted is compared by its bytes. */
async function takeStock(
  host: MirrorHost,
  view: HostView | null,
  { tree, wanted }: { readonly tree: string; readonly wanted: Manifest },
): Promise<PoolRecord> {
  const snapshots = view?.snapshots ?? [];
  if (!hasPool(host, view)) return { snapshots, files: {} };
  const found = (await listPool(host)).filter(({ kind }) => kind !== 'directory');
  const paths = found.flatMap(({ name }) => (Object.hasOwn(wanted.files, name) ? [name] : []));
  const different = new Set(await differences(host, tree, { snapshot: poolName(host.set.name), paths }));
  const last = snapshots.at(-1);
  const files = found.map(({ name, size, mtime, mode }): [string, PoolFile] => {
    const file = wanted.files[name];
    const known = file !== undefined && !different.has(name);
    return [name, { size, mtime, mode, sha256: known ? file.sha256 : '', ...(known ? {} : { last }) }];
  });
  return { snapshots, files: Object.fromEntries(files) };
}

/** Sends what the pool lacks: each file appears whole, under a name that nothing shows yet. */
export async function sendPool(
  { host, view }: Standing,
  tree: string,
  { lacking, bases }: Pick<PoolPlan, 'lacking'> & { readonly bases: readonly string[] },
): Promise<Transferred> {
  const { set, transport } = host;
  const place = placeOf(host, poolName(set.name));
  if (!hasPool(host, view)) await transport.makeDirectory(place);
  if (lacking.length === 0) return nothingSent;
  return transport.sendFiles(tree, place, { paths: lacking, bases: bases.map((base) => placeOf(host, base)) });
}

/** Notes that a host's pool has all of a state now. */
export function keepRecord({ host }: Standing, state: SetState, { snapshot, plan }: Sent): Promise<void> {
  return state.savePool(host.name, poolWith(plan.record, plan.wanted.files, snapshot));
}

interface Sent {
  readonly snapshot: string;
  readonly plan: Pick<PoolPlan, 'record' | 'wanted'>;
}

/** Notes that files of a pool were sent again as a state has them. */
export async function noteMended(
  host: MirrorHost,
  state: SetState,
  files: Readonly<Record<string, ManifestFile>>,
): Promise<void> {
  const record = await state.pool(host.name);
  if (record !== null) await state.savePool(host.name, { ...record, files: { ...record.files, ...files } });
}

/**
 * Removes what no snapshot needs of those that are left. Where somebody else's stands among them nothing is removed,
 * because what it names is not known here.
 *
 * @param kept snapshots of the set that stand on the host
 */
export async function prunePool(host: MirrorHost, state: SetState, kept: readonly string[]): Promise<void> {
  const record = await state.pool(host.name);
  if (record === null || !isSure(record, kept)) return;
  const paths = needless(record, kept);
  const left = { snapshots: kept, files: record.files };
  if (paths.length === 0) {
    if (kept.length < record.snapshots.length) await state.savePool(host.name, left);
    return;
  }
  await state.savePool(host.name, without(left, paths, 'leaving'));
  await removeFiles(host, removals(record, paths));
  await state.savePool(host.name, without(left, paths, 'gone'));
}

/** Takes back what a transaction sent to the pool and no snapshot that stands there names. */
export async function undoPool({ host, view }: Standing, state: SetState, { snapshot }: Transaction): Promise<void> {
  const manifest = await state.manifest(snapshot);
  const sent = manifest === null ? null : splitShared(manifest, host.set.name).pool;
  if (sent === null || !hasPool(host, view)) return;
  const others = (view?.snapshots ?? []).filter((name) => name !== snapshot);
  const record = (await state.pool(host.name)) ?? { snapshots: [], files: {} };
  if (!isSure(record, others)) return;
  const paths = lackingIn(record, sent.files);
  const all = { ...record, files: { ...sent.files, ...record.files } };
  await removeFiles(host, removals(all, paths));
}

async function removeFiles(host: MirrorHost, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await host.transport.remove(placeOf(host, poolName(host.set.name)), paths);
}

/** Everything that the pool of the set holds on a host. */
export function listPool(host: MirrorHost) {
  return listSnapshot(host, poolName(host.set.name));
}

function hasPool(host: MirrorHost, view: HostView | null): boolean {
  const place = placeOf(host, poolName(host.set.name));
  return view?.entries.some(({ name }) => name === place) === true;
}
