import {
  type Base,
  chooseBases,
  damageOf,
  isWhole,
  type Manifest,
  mistakable,
  mustBeSent,
  namesOf,
  planCopy,
} from '../../pipelines/mirror/manifest.ts';
import { poolName, splitShared } from '../../pipelines/mirror/shared.ts';
import { counted } from '../../pipelines/model/words.ts';
import { checkFrozen, type FrozenSource } from './freeze.ts';
import type { MirrorHost } from './host.ts';
import { sendPool } from './pool.ts';
import type { Session } from './session.ts';
import { settleAll } from './settle.ts';
import { differences, listSnapshot, mendDifferences, placeOf, sendReport, sendSnapshot } from './snapshot.ts';
import type { SetState } from './state.ts';
import { prepareFlip } from './transaction.ts';
import { nothingSent, type Transferred } from './transport.ts';
import { type MirrorContext, MirrorError } from './types.ts';

export interface Staging {
  readonly snapshot: string;
  readonly frozen: FrozenSource;
  readonly state: SetState;
  readonly context: MirrorContext;
}

/** Snapshots whose content is looked at for what need not be sent: each is read from our own side. */
const looked = 20;
/** The same where only indexes are at stake. */
const lookedForIndexes = 3;

/** What a host has already, as far as we know. */
export interface Known {
  readonly bases: readonly Base[];
  /** Snapshots to link from, in order. */
  readonly names: readonly string[];
  /** Those that are whole trees, newest first. */
  readonly whole: readonly string[];
  /** A base of which nothing is known, or which is damaged: what is linked from it must be compared. */
  readonly doubtful: boolean;
}

/** Brings a snapshot to a host, where nothing shows it yet, and compares it with what was frozen. */
export async function stage(session: Session, { snapshot, frozen, state, context }: Staging): Promise<void> {
  const { host } = session;
  session.phase = 'stage';
  if (session.lock?.linksHold === false) {
    throw new MirrorError('munged', 'a link that was sent leads nowhere: set "munge symlinks = no" on the daemon');
  }
  const { own } = splitShared(frozen.manifest, host.set.name);
  const known = await knownOn(session, state, frozen.manifest);
  const sent = await sendAll(session, { snapshot, frozen, known });
  session.transferred = sent;
  const surprising = surpriseOf(known, own, sent.changed);
  if (surprising !== null) context.log(`${host.name}: ${surprising}`);
  const mended = await mendDoubtful(session, { snapshot, frozen, known }, sent.changed);
  const transferred = together(sent, sentAgain(own, mended));
  session.transferred = transferred;
  session.phase = 'verify';
  await settleAll([
    finishStaged(session, { snapshot, frozen }, transferred.report),
    verifyStaged(host, { snapshot, frozen }, transferred.changed),
    // What was frozen shares its bytes with the source, which may have been written to in place meanwhile.
    checkFrozen(frozen, transferred.changed),
  ]);
}

/** Files of which only the content differed, in the words of rsync. */
function sentAgain({ files }: Manifest, paths: readonly string[]): Transferred {
  const bytes = paths.reduce((sum, path) => sum + (files[path]?.size ?? 0), 0);
  const report = paths.map((path) => `<fc........ ${path}\n`).join('');
  return { bytes, files: paths.length, changed: paths, report };
}

/**
 * rsync goes by sizes and whole seconds: a file that was made twice within one is taken for the one before, and one that
 * was damaged in a base for what it was. Names of one content need not be one file there.
 */
async function mendDoubtful(
  { host }: Session,
  { snapshot, frozen, known }: Sending,
  sent: readonly string[],
): Promise<readonly string[]> {
  const { tree, manifest, content } = frozen;
  const { own } = splitShared(manifest, host.set.name);
  const arrived = new Set(sent);
  const mend = (paths: readonly string[]) => mendDifferences(host, tree, { snapshot, paths });
  const doubtful = known.doubtful ? Object.keys(own.files) : namesOf(own, content.indexes);
  const left = doubtful.filter((path) => !arrived.has(path));
  const mistaken = new Set(mistakable(own, known.bases, arrived));
  const compared = new Set([...namesOf(own, left), ...mistaken]);
  const mended = await mend([...compared]);
  if (known.doubtful || mended.every((path) => mistaken.has(path))) return mended;
  // A base was damaged in place: nothing of it is trusted.
  return [...mended, ...(await mend(Object.keys(own.files).filter((path) => !compared.has(path))))];
}

function isPooled({ shared = [] }: Manifest): boolean {
  return shared.length > 0;
}

interface Sending extends Pick<Staging, 'snapshot' | 'frozen'> {
  readonly known: Known;
}

/** The packages of a pool and the rest side by side; one after the other where together they are to take no more. */
async function sendAll(session: Session, sending: Sending): Promise<Transferred> {
  const packages = sendShared(session, sending);
  if (session.host.set.bandwidth !== undefined) await packages;
  return together(...(await settleAll([packages, sendTree(session, sending)])));
}

/** Sends over a copy of what stands there, where that can be had and comes to what it should; else the whole tree. */
async function sendTree({ host }: Session, { snapshot, frozen, known }: Sending): Promise<Transferred> {
  const { tree, manifest } = frozen;
  const { shared = [] } = manifest;
  // Without its packages a snapshot is too small for a copy to be faster.
  const pooled = isPooled(manifest);
  const plan = known.doubtful || pooled ? null : planCopy(manifest, known.bases);
  const copied = plan === null ? null : await host.transport.sendOver(tree, placeOf(host, snapshot), plan);
  // Listed, so that no trust in the copy is needed.
  if (copied !== null && isWhole(manifest, await listSnapshot(host, snapshot))) return copied;
  const sent = await sendSnapshot(host, tree, { snapshot, bases: known.names, apart: shared });
  if (copied === null) return sent;
  // What came over the copy, and looks like a file of the base, is the base's again: rsync links it over the right one.
  const paths = mistakable(manifest, known.bases, new Set(sent.changed));
  await mendDifferences(host, tree, { snapshot, paths });
  return together(copied, sent);
}

/** Two transfers as one. */
export function together(one: Transferred, other: Transferred): Transferred {
  return {
    bytes: one.bytes + other.bytes,
    files: one.files + other.files,
    changed: [...new Set([...one.changed, ...other.changed])],
    report: one.report + other.report,
  };
}

/** Sends to the pool what it lacks; snapshots that are whole trees may have it already. */
function sendShared(session: Session, { frozen, known }: Omit<Sending, 'snapshot'>): Promise<Transferred> {
  if (session.pool === null) return Promise.resolve(nothingSent);
  return sendPool(session, frozen.tree, { lacking: session.pool.lacking, bases: known.whole });
}

/** Links of a snapshot that the source has not. */
export function linksToPool({ links }: Manifest, own: Manifest): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(own.links).filter(([path]) => !Object.hasOwn(links, path)));
}

/** Paths that differ between what was frozen and a snapshot with its part of the pool, by checksum. */
export async function differencesOf(
  host: MirrorHost,
  { tree, manifest }: Pick<FrozenSource, 'tree' | 'manifest'>,
  { snapshot, paths }: { readonly snapshot: string; readonly paths: readonly string[] },
): Promise<string[]> {
  const { pool } = splitShared(manifest, host.set.name);
  const isShared = (path: string) => pool !== null && Object.hasOwn(pool.files, path);
  const [apart, shared] = [paths.filter((path) => !isShared(path)), paths.filter(isShared)];
  const found = await settleAll([
    differences(host, tree, { snapshot, paths: apart, files: manifest.files }),
    differences(host, tree, { snapshot: poolName(host.set.name), paths: shared, files: manifest.files }),
  ]);
  return found.flat();
}

/** Puts the report beside a snapshot, and into it what leads to the pool; it is whole then, and may soon be shown. */
async function finishStaged(
  session: Session,
  { snapshot, frozen: { manifest } }: Pick<Staging, 'snapshot' | 'frozen'>,
  report: string,
): Promise<void> {
  const { host } = session;
  const { own } = splitShared(manifest, host.set.name);
  await sendReport(host, snapshot, { report, links: linksToPool(manifest, own) });
  const whole = isPooled(manifest) ? findWhole(host, snapshot, own) : undefined;
  [session.flip] = await settleAll([prepareFlip(session, snapshot), whole]);
}

async function findWhole(host: MirrorHost, snapshot: string, own: Manifest): Promise<void> {
  const damage = damageOf(own, await listSnapshot(host, snapshot))[0];
  if (damage !== undefined) throw new MirrorError('verify', damage);
}

async function verifyStaged(
  host: MirrorHost,
  { snapshot, frozen }: Pick<Staging, 'snapshot' | 'frozen'>,
  sent: readonly string[],
): Promise<void> {
  const paths = [...new Set([...frozen.content.indexes, ...sent])];
  const different = await differencesOf(host, frozen, { snapshot, paths });
  if (different.length > 0) throw new MirrorError('verify', `${different[0]} is not what was sent`);
}

/** The snapshots of a host that files are linked from: the one that it shows, then what else has something to give. */
export async function knownOn({ host, view, previous }: Session, state: SetState, manifest: Manifest): Promise<Known> {
  const { own: wanted, pool } = splitShared(manifest, host.set.name);
  const most = pool === null ? looked : lookedForIndexes;
  const newest = [...(view?.snapshots ?? [])].reverse();
  const names = [...new Set([...(previous === null ? [] : [previous]), ...newest])].slice(0, most);
  const candidates: Base[] = [];
  const whole: string[] = [];
  for (const snapshot of names.filter((name) => newest.includes(name))) {
    const known = await state.own(snapshot);
    if (known === null) continue;
    candidates.push({ snapshot, manifest: known.own });
    if (!known.pooled) whole.push(snapshot);
    else if (pool === null && snapshot === previous) candidates.push(...(await poolBase(host, state, snapshot)));
  }
  const chosen = chooseBases(wanted, candidates);
  const shown = candidates.find(({ snapshot }) => snapshot === previous);
  const bases = shown === undefined || chosen.includes(shown) ? chosen : [shown, ...chosen].slice(0, looked);
  const damaged = (await state.damaged())[host.name] !== undefined;
  const blind = candidates.length === 0 && previous !== null && newest.includes(previous);
  const linked = blind ? [previous] : bases.map(({ snapshot }) => snapshot);
  return { bases, names: linked, whole, doubtful: blind || damaged };
}

/** The pool, for a snapshot that is to have its packages itself. */
async function poolBase({ set }: MirrorHost, state: SetState, snapshot: string): Promise<Base[]> {
  const manifest = await state.manifest(snapshot);
  const pool = manifest === null ? null : splitShared(manifest, set.name).pool;
  return pool === null ? [] : [{ snapshot: poolName(set.name), manifest: pool }];
}

/** A sentence when more was sent than the host lacked: it does not link as it should, and costs the whole each time. */
function surpriseOf({ bases, doubtful }: Known, wanted: Manifest, changed: readonly string[]): string | null {
  if (doubtful || bases.length === 0) return null;
  const lacking = new Set(mustBeSent(wanted, bases));
  const needless = changed.filter((path) => wanted.files[path] !== undefined && !lacking.has(path));
  if (needless.length === 0) return null;
  const bytes = needless.reduce((sum, path) => sum + (wanted.files[path]?.size ?? 0), 0);
  const what = `${counted(needless.length, 'file')} (${counted(bytes, 'byte')}) sent again, the first ${needless[0]}`;
  return `${what}: the host has them in ${bases[0]?.snapshot}, and does not link to them`;
}
