import { freeName } from '../../pipelines/mirror/names.ts';
import { type MirrorResult, noChanges, setOutcome } from '../../pipelines/mirror/outcome.ts';
import { changesTo } from './changes.ts';
import { type Base, type Work, withOpenHosts } from './command.ts';
import { flipTogether } from './flip.ts';
import type { FrozenSource, Source } from './freeze.ts';
import { runAfter, runBefore } from './hooks.ts';
import { shows } from './host.ts';
import { journaled } from './journal.ts';
import { damagedError, findDamage, mendSnapshot } from './mend.ts';
import { noteOutlines } from './outline.ts';
import { keepRecord, planPool } from './pool.ts';
import { pruneSessions } from './prune.ts';
import { withSource } from './reading.ts';
import { rehearseOn } from './rehearse.ts';
import { asMirrorError, closeSessions, forEach, plainResult, resultOf, type Session, undo } from './session.ts';
import { settleAll } from './settle.ts';
import { stage } from './stage.ts';
import { type Committed, type SetState, type Transaction, withSetState } from './state.ts';
import { checkShown, linksBefore } from './transaction.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';
import { isSettled, saidOf, tellUnchanged } from './unchanged.ts';
import { waitOf } from './wait.ts';

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
    if (options.dryRun) return rehearseSync({ set: { ...set, init: false }, state, context }, set.init);
    const wait = await waitOf(set, state, context.now());
    if (wait !== null) {
      await state.queue();
      context.log(wait.said);
      return { ...(await untouched(set, state)), did: wait.did, notes: wait.notes };
    }
    await state.unqueue();
    return journaled(set, context, () => syncSet({ set, state, context }));
  });
}

/** The sync itself, for a command that has the set already. */
export function syncSet(base: Base): Promise<MirrorResult> {
  return withSource(base, async (reading) => {
    const look = async (sessions: readonly Session[]) => {
      const digest = await reading.digest;
      // Where something is to be done, hosts are locked while the source is checked.
      if (digest === null || !(await isSettled(base, { digest }))) return null;
      const source = await reading.source;
      return source instanceof MirrorError ? null : tellUnchanged({ ...base, sessions }, source);
    };
    const sync = async (work: Work) =>
      work.lost.length > 0 ? diverged(work, work.lost) : publish(work, await reading.source, {});
    const result = await runAfter(base, await withOpenHosts(base, sync, look));
    await base.state.saveLast(result);
    return result;
  });
}

/** Hosts where directories are missing that `init` would make count as empty ones. */
function rehearseSync(base: Base, init: boolean): Promise<MirrorResult> {
  return withSource(base, async (reading) => {
    const source = await reading.source;
    return withOpenHosts(base, async (work) => {
      for (const session of work.sessions.filter(({ error }) => init && error?.code === 'missing')) {
        session.error = null;
        session.view = { snapshots: [], links: {}, entries: [], unread: null };
      }
      const result = work.lost.length > 0 ? diverged(work, work.lost) : await publish(work, source, { dryRun: true });
      return { ...result, did: 'rehearsed' };
    });
  });
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

async function publish(work: Work, source: Source | MirrorError, { dryRun = false }: SyncOptions) {
  const { set, state, sessions, context } = work;
  const frozen = source instanceof MirrorError ? source : await frozenFor(set, source).catch(asMirrorError);
  if (source instanceof MirrorError || frozen instanceof MirrorError) {
    for (const session of sessions) session.error ??= asMirrorError(frozen);
    for (const session of sessions) if (session.phase === 'connect' && session.view) session.phase = 'stage';
    return failed(work);
  }
  const committed = await state.committed();
  const up = sessions.filter(({ error }) => error === null);
  const same = committed !== null && committed.digest === frozen.digest;
  const current = up.filter(({ host, view }) => same && view !== null && shows(host.set, view, committed.snapshot));
  const behind = without(up, current);
  if (up.length === 0 || (set.commit === 'all' && up.length < sessions.length)) return failed(work);
  const reuse = same && current.length > 0;
  const snapshot = reuse ? committed.snapshot : freeName(set.name, context.now(), namesOn(up));
  const publication = { behind, snapshot, source, frozen, committed };
  if (!(await keepWhole(work, { ...publication, behind: current }, dryRun))) return failed(work);
  if (behind.length === 0) {
    const result = await finished(work, publication);
    return result.outcome === 'committed' ? { ...result, did: 'mended' as const } : result;
  }
  if (dryRun) return rehearse(work, publication);
  return (await mayBegin(work, publication)) ? transact(work, publication) : failed(work);
}

/** Whether the set's own command lets a transaction begin. */
async function mayBegin(work: Work, { behind, snapshot, committed }: Publication): Promise<boolean> {
  const [previous, hosts] = [committed?.snapshot ?? null, behind.map(({ host }) => host.name)];
  const refused = await runBefore(work, { snapshot, previous, hosts });
  for (const session of behind) session.error ??= refused;
  return refused === null;
}

/** The source as the set's layout has it. */
async function frozenFor({ layout }: MirrorSet, source: Source): Promise<FrozenSource> {
  const frozen = await source.freeze();
  if (layout !== 'pool') return frozen;
  return { ...frozen, manifest: { ...frozen.manifest, shared: frozen.folders } };
}

/** Mends hosts that show the right snapshot, where something else stands in it by now. */
async function keepWhole(work: Work, { behind: current, ...publication }: Publication, dryRun: boolean) {
  const { set, state, context } = work;
  await forEach(current, async (session) => {
    if (!dryRun) return mendSnapshot(session, { ...publication, state, context });
    const what = await findDamage(session.host, state, publication.snapshot);
    if (what !== null) context.log(`${session.host.name}: damaged: ${damagedError(set, what).message}`);
  });
  const whole = current.filter(({ error }) => error === null);
  for (const session of whole) session.phase = 'done';
  if (!dryRun) await forgetDamage(state, whole);
  return whole.length === current.length || set.commit === 'any';
}

async function forgetDamage(state: SetState, whole: readonly Session[]): Promise<void> {
  const names = new Set(whole.map(({ host }) => host.name));
  const damaged = Object.entries(await state.damaged());
  const left = damaged.filter(([name]) => !names.has(name));
  if (left.length < damaged.length) await state.saveDamaged(Object.fromEntries(left));
}

interface Publication {
  readonly behind: readonly Session[];
  readonly snapshot: string;
  readonly source: Source;
  readonly frozen: FrozenSource;
  readonly committed: Committed | null;
}

async function transact(work: Work, publication: Publication): Promise<MirrorResult> {
  const { set, state, context, sessions } = work;
  const { behind, snapshot, frozen } = publication;
  await forEach(behind, async (session) => {
    session.phase = 'stage';
    session.pool = await planPool(session, state, frozen);
  });
  if (set.commit === 'all' && behind.some(({ error }) => error !== null)) return failed(work);
  const transaction: Transaction = {
    snapshot,
    phase: 'staging',
    fresh: true,
    digest: frozen.digest,
    hosts: Object.fromEntries(behind.map(({ host, view }) => [host.name, view ? linksBefore(host, view) : {}])),
  };
  await settleAll([
    state.saveManifest(snapshot, frozen.manifest),
    state.savePackages(snapshot, frozen.content.packages),
  ]);
  await state.saveTransaction(transaction);
  const able = behind.filter(({ error }) => error === null);
  await forEach(able, (session) => stage(session, { ...publication, state, context }));
  const staged = behind.filter(({ error }) => error === null);
  const going = set.commit === 'any' || staged.length === behind.length ? staged : [];
  await undo(without(behind, going), transaction, { state, context });
  if (going.length === 0) return abandon(work, snapshot);
  await state.saveTransaction({ ...transaction, phase: 'flipping', hosts: pick(transaction.hosts, going) });
  await flip(set, going, publication);
  const shown = going.filter(({ error }) => error === null);
  if (shown.length < going.length) {
    const back = set.commit === 'any' ? without(going, shown) : going;
    await undo(back, transaction, { state, context });
    if (set.commit === 'all' || shown.length === 0) return abandon(work, snapshot);
  }
  for (const session of shown) [session.phase, session.target] = ['done', snapshot];
  await settleAll(
    shown.map(async (session) => session.pool && keepRecord(session, state, { snapshot, plan: session.pool })),
  );
  await state.saveCommitted({ snapshot, digest: frozen.digest });
  await state.saveTransaction(null);
  await forgetDamage(state, shown);
  await pruneSessions(shown, { state, context });
  // Nothing more is done on hosts: what is left to be written here keeps nobody waiting for them.
  const [result] = await settleAll([conclude(work, publication, shown), closeSessions(sessions)]);
  return result;
}

/** Notes how hosts stand that show what was published, and says so. */
async function conclude(work: Work, publication: Publication, shown: readonly Session[]): Promise<MirrorResult> {
  const { state, sessions } = work;
  const { snapshot, committed } = publication;
  await noteOutlines(
    work,
    snapshot,
    shown.map(({ host }) => host),
  );
  const compared = committed?.snapshot ?? snapshot;
  if (shown.length === sessions.length) await state.keepOnly(new Set([snapshot, compared, ...namesOn(sessions)]));
  return finished(work, publication);
}

/** All hosts at once, or each by itself where none waits for another. */
async function flip({ commit }: MirrorSet, going: readonly Session[], { snapshot, frozen }: Publication) {
  const groups = commit === 'all' ? [going] : going.map((session) => [session]);
  const check = ({ host }: Session) => checkShown(host, frozen, snapshot);
  await Promise.all(groups.map((sessions) => flipTogether(sessions, snapshot, check)));
}

async function rehearse(work: Work, publication: Publication): Promise<MirrorResult> {
  await forEach(publication.behind, (session) => rehearseOn(session, work.state, publication));
  const result = await finished(work, publication);
  const hosts = Object.entries(result.hosts).map(([name, host]) => {
    // Nothing was done to it, whatever it would get.
    return [name, host.outcome === 'committed' ? { ...host, outcome: 'unchanged' as const } : host] as const;
  });
  const wrong = work.set.commit === 'any' ? 'partial' : 'failed';
  const outcome = work.sessions.some(({ error }) => error !== null) ? wrong : 'unchanged';
  return { ...result, hosts: Object.fromEntries(hosts), outcome, snapshot: null };
}

async function finished(work: Work, { snapshot, source, frozen, committed }: Publication): Promise<MirrorResult> {
  const { set, state, sessions } = work;
  const hosts: Record<string, MirrorResult['hosts'][string]> = {};
  const changesSince = changesTo(frozen, state);
  for (const session of sessions) {
    const { error, transferred, previous } = session;
    if (error === null && transferred === null) session.phase = 'done';
    const outcome = error === null ? (transferred === null ? 'unchanged' : 'committed') : 'behind';
    const packages = outcome === 'committed' ? await changesSince(previous) : noChanges;
    hosts[session.host.name] = { ...resultOf(session, outcome), packages };
  }
  const outcome = setOutcome(set.commit, Object.values(hosts));
  const changes = outcome === 'unchanged' ? noChanges : await changesSince(committed?.snapshot ?? null);
  return { set: set.name, snapshot, outcome, hosts, packages: changes, ...saidOf(source) };
}

async function abandon(work: Work, snapshot: string): Promise<MirrorResult> {
  await work.state.saveTransaction(null);
  const owed = await work.state.undone();
  const lost = work.sessions.filter(({ host, phase }) => phase === 'flip' && owed[host.name] !== undefined);
  return lost.length > 0 ? diverged(work, lost, snapshot) : failed(work);
}

function failed({ set, sessions }: Work): MirrorResult {
  const hosts = sessions.map((session) => {
    const touched = session.phase !== 'connect' && session.phase !== 'done' && session.error === null;
    const wrong = set.commit === 'any' ? 'behind' : 'failed';
    const outcome = session.error !== null ? wrong : touched ? 'rolled-back' : 'unchanged';
    return [session.host.name, resultOf(session, outcome)] as const;
  });
  return { set: set.name, snapshot: null, outcome: 'failed', hosts: Object.fromEntries(hosts), packages: noChanges };
}

/** @param snapshot the one that was on its way: a host that went in the middle of its flip may show either. */
function diverged(work: Work, lost: readonly Session[], snapshot: string | null = null): MirrorResult {
  const shown = work.sessions.map(({ host, target, error, phase }) => {
    const last = target ?? 'nothing that is known';
    if (error === null) return `${host.name} shows ${last}`;
    const either = phase === 'flip' && snapshot !== null && target !== snapshot;
    return `${host.name} showed ${last} when it was last seen${either ? `, and may show ${snapshot} by now` : ''}`;
  });
  const named = lost.map(({ host }) => host.name).join(' and ');
  const notes = [...shown, `the next command on the set brings ${named} along once it answers`];
  for (const note of notes) work.context.log(note);
  return { ...failed(work), outcome: 'diverged', notes };
}

function namesOn(sessions: readonly Session[]): string[] {
  return sessions.flatMap(({ view }) => view?.snapshots ?? []);
}

function without(sessions: readonly Session[], others: readonly Session[]): Session[] {
  return sessions.filter((session) => !others.includes(session));
}

function pick<T>(hosts: Readonly<Record<string, T>>, sessions: readonly Session[]): Record<string, T> {
  const names = new Set(sessions.map(({ host }) => host.name));
  return Object.fromEntries(Object.entries(hosts).filter(([name]) => names.has(name)));
}
