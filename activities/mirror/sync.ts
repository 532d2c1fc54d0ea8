import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freeName } from '../../pipelines/mirror/names.ts';
import { type MirrorResult, noChanges, packageChanges, setOutcome } from '../../pipelines/mirror/outcome.ts';
import { type Work, withOpenHosts } from './command.ts';
import { indexPaths, verifyTree } from './content.ts';
import { type FrozenSource, freezeSource } from './freeze.ts';
import {
  differences,
  type MirrorHost,
  mendDifferences,
  openHost,
  probeLinks,
  sendReport,
  sendSnapshot,
  shows,
  type Transferred,
  withTemporary,
} from './host.ts';
import { pruneSessions } from './prune.ts';
import { asMirrorError, forEach, plainResult, resultOf, type Session, undo } from './session.ts';
import { type Committed, type SetState, type Transaction, withSetState } from './state.ts';
import { checkShown, flipAll, linksBefore } from './transaction.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';

export interface SyncOptions {
  /** Says what would be sent, and changes nothing. */
  readonly dryRun?: boolean;
}

/**
 * Brings a set of mirrors to the state of its source in one transaction: stage everywhere, verify, flip everywhere,
 * read back; undone where that fails.
 */
export function syncMirrors(set: MirrorSet, context: MirrorContext, options: SyncOptions = {}): Promise<MirrorResult> {
  return withSetState(set, context, async (state) => {
    if (options.dryRun) return withOpenHosts({ set: { ...set, init: false }, state, context }, rehearseSync(set.init));
    if ((await state.paused()) === null) return withOpenHosts({ set, state, context }, syncOpenHosts);
    await state.queue();
    context.log(`${set.name} is paused: it will be synchronised when it is resumed`);
    return untouched(set, state);
  });
}

/** The sync itself, for a command that has the set and its hosts already. */
export async function syncOpenHosts(work: Work): Promise<MirrorResult> {
  const result = work.lost.length > 0 ? diverged(work, work.lost) : await publish(work, {});
  await work.state.saveLast(result);
  return result;
}

/** Hosts where directories are missing that `init` would make count as empty ones. */
function rehearseSync(init: boolean): (work: Work) => Promise<MirrorResult> {
  return async (work) => {
    for (const session of work.sessions.filter(({ error }) => init && error?.code === 'missing')) {
      session.error = null;
      session.view = { snapshots: [], links: {}, entries: [] };
    }
    return work.lost.length > 0 ? diverged(work, work.lost) : publish(work, { dryRun: true });
  };
}

/** What is known of a set that nothing was done to, without asking its hosts. */
export async function untouched(set: MirrorSet, state: SetState): Promise<MirrorResult> {
  const last = await state.last();
  const hosts = Object.fromEntries(
    Object.keys(set.hosts).map((name) => [name, plainResult({ target: last?.hosts[name]?.target ?? null })]),
  );
  const snapshot = (await state.committed())?.snapshot ?? null;
  return { set: set.name, snapshot, outcome: 'unchanged', hosts, packages: noChanges };
}

async function publish(work: Work, { dryRun = false }: SyncOptions): Promise<MirrorResult> {
  const { set, state, sessions } = work;
  const committed = await state.committed();
  let frozen: FrozenSource;
  try {
    frozen = await freezeSource(set, state.directory);
  } catch (error) {
    for (const session of sessions) session.error ??= asMirrorError(error);
    for (const session of sessions) if (session.phase === 'connect' && session.view) session.phase = 'stage';
    return failed(work);
  }
  const up = sessions.filter(({ error }) => error === null);
  const same = committed !== null && committed.digest === frozen.digest;
  const behind = up.filter(({ view }) => !(same && view !== null && shows(set, view, committed.snapshot)));
  if (up.length === 0 || (set.commit === 'all' && up.length < sessions.length)) return failed(work);
  if (behind.length === 0) return finished(work, { snapshot: committed?.snapshot ?? null, frozen, committed });
  const reuse = same && up.length > behind.length;
  const taken = up.flatMap(({ view }) => view?.snapshots ?? []);
  const snapshot = reuse && committed ? committed.snapshot : freeName(set.name, work.context.now(), taken);
  if (dryRun) return rehearse(work, { behind, snapshot, frozen, committed });
  return transact(work, { behind, snapshot, frozen, committed });
}

interface Publication {
  readonly behind: readonly Session[];
  readonly snapshot: string;
  readonly frozen: FrozenSource;
  readonly committed: Committed | null;
}

async function transact(work: Work, publication: Publication): Promise<MirrorResult> {
  const { set, state, context } = work;
  const { behind, snapshot, frozen, committed } = publication;
  const transaction: Transaction = {
    snapshot,
    phase: 'staging',
    fresh: true,
    digest: frozen.digest,
    packages: frozen.packages,
    hosts: Object.fromEntries(behind.map(({ host, view }) => [host.name, view ? linksBefore(host, view) : {}])),
  };
  await state.saveTransaction(transaction);
  await forEach(behind, (session) => stage(session, publication));
  const staged = behind.filter(({ error }) => error === null);
  const going = set.commit === 'any' || staged.length === behind.length ? staged : [];
  await undo(without(behind, going), transaction, { state, context });
  if (going.length === 0) return abandon(work);
  await state.saveTransaction({ ...transaction, phase: 'flipping', hosts: pick(transaction.hosts, going) });
  await forEach(going, (session) => flip(session, publication));
  const shown = going.filter(({ error }) => error === null);
  if (shown.length < going.length) {
    const back = set.commit === 'any' ? without(going, shown) : going;
    await undo(back, transaction, { state, context });
    if (set.commit === 'all' || shown.length === 0) return abandon(work);
  }
  for (const session of shown) [session.phase, session.target] = ['done', snapshot];
  await state.savePackages(snapshot, frozen.packages);
  await state.saveCommitted({ snapshot, digest: frozen.digest, packages: frozen.packages });
  await state.saveTransaction(null);
  await pruneSessions(shown, context);
  return finished(work, { snapshot, frozen, committed });
}

async function stage(session: Session, { snapshot, frozen }: Publication): Promise<void> {
  const { host, previous } = session;
  session.phase = 'stage';
  await probeLinks(host);
  session.transferred = await sendSnapshot(host, frozen.tree, { snapshot, previous });
  await sendReport(host, snapshot, session.transferred.report);
  const indexes = await indexPaths(frozen.tree);
  // rsync goes by sizes and whole seconds: an index made twice within one is taken for the one before.
  const unsent = indexes.filter((path) => !session.transferred?.changed.includes(path));
  await mendDifferences(host, frozen.tree, { snapshot, paths: unsent });
  session.phase = 'verify';
  const paths = [...new Set([...indexes, ...session.transferred.changed])];
  const different = await differences(host, frozen.tree, { snapshot, paths });
  if (different.length > 0) throw new MirrorError('verify', `${different[0]} is not what was sent`);
  // What was frozen shares its bytes with the source, which may have been written to in place meanwhile.
  await verifyTree(frozen.tree, new Set(session.transferred.changed));
  // A host that went away since must be noticed before any other is flipped.
  await host.view();
}

async function flip(session: Session, { snapshot, frozen }: Publication): Promise<void> {
  session.phase = 'flip';
  await flipAll(session.host, snapshot);
  await checkShown(session.host, frozen.tree, snapshot);
}

async function rehearse(work: Work, { behind, snapshot, frozen, committed }: Publication): Promise<MirrorResult> {
  await forEach(behind, async (session) => {
    const { host, previous } = session;
    session.phase = 'stage';
    const there = session.view?.entries.length !== 0;
    session.transferred = there
      ? await sendSnapshot(host, frozen.tree, { snapshot, previous, dryRun: true })
      : await sendNowhere(host, frozen.tree, snapshot);
  });
  const result = await finished(work, { snapshot, frozen, committed });
  return { ...result, outcome: behind.some(({ error }) => error !== null) ? 'failed' : 'unchanged', snapshot: null };
}

/** What a host would get that has nothing yet, not even the directory of snapshots. */
function sendNowhere({ set, name }: MirrorHost, tree: string, snapshot: string): Promise<Transferred> {
  return withTemporary(async (url) => {
    await mkdir(join(url, set.snapshots), { recursive: true });
    return sendSnapshot(openHost({ ...set, hosts: { [name]: { url } } }, name), tree, {
      snapshot,
      previous: null,
      dryRun: true,
    });
  });
}

interface Finish {
  readonly snapshot: string | null;
  readonly frozen: FrozenSource;
  readonly committed: Committed | null;
}

async function finished(work: Work, { snapshot, frozen, committed }: Finish): Promise<MirrorResult> {
  const { set, state, sessions } = work;
  const hosts: Record<string, MirrorResult['hosts'][string]> = {};
  for (const session of sessions) {
    const { error, transferred, previous } = session;
    if (error === null && transferred === null) session.phase = 'done';
    const outcome = error === null ? (transferred === null ? 'unchanged' : 'committed') : 'behind';
    const before = previous === null ? [] : ((await state.packages(previous)) ?? []);
    const packages = outcome === 'committed' ? packageChanges(before, frozen.packages) : noChanges;
    hosts[session.host.name] = { ...resultOf(session, outcome), packages };
  }
  const outcome = setOutcome(set.commit, Object.values(hosts));
  const changes = outcome === 'unchanged' ? noChanges : packageChanges(committed?.packages ?? [], frozen.packages);
  return { set: set.name, snapshot, outcome, hosts, packages: changes };
}

async function abandon(work: Work): Promise<MirrorResult> {
  await work.state.saveTransaction(null);
  const owed = await work.state.undone();
  const lost = work.sessions.filter(({ host, phase }) => phase === 'flip' && owed[host.name] !== undefined);
  return lost.length > 0 ? diverged(work, lost) : failed(work);
}

function failed({ set, sessions }: Work): MirrorResult {
  const hosts = sessions.map((session) => {
    const touched = session.phase !== 'connect' && session.error === null;
    const wrong = set.commit === 'any' ? 'behind' : 'failed';
    const outcome = session.error !== null ? wrong : touched ? 'rolled-back' : 'unchanged';
    return [session.host.name, resultOf(session, outcome)] as const;
  });
  return { set: set.name, snapshot: null, outcome: 'failed', hosts: Object.fromEntries(hosts), packages: noChanges };
}

function diverged(work: Work, lost: readonly Session[]): MirrorResult {
  for (const { host } of lost) work.context.log(`${host.name} may show another state than the other hosts`);
  return { ...failed(work), outcome: 'diverged' };
}

function without(sessions: readonly Session[], others: readonly Session[]): Session[] {
  return sessions.filter((session) => !others.includes(session));
}

function pick<T>(hosts: Readonly<Record<string, T>>, sessions: readonly Session[]): Record<string, T> {
  const names = new Set(sessions.map(({ host }) => host.name));
  return Object.fromEntries(Object.entries(hosts).filter(([name]) => names.has(name)));
}
