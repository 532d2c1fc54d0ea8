import { type MirrorResult, noChanges, packageChanges } from '../../pipelines/mirror/outcome.ts';
import { type Work, withOpenHosts } from './command.ts';
import { flipTogether } from './flip.ts';
import { runAfter } from './hooks.ts';
import { shows } from './host.ts';
import { journaled } from './journal.ts';
import { resultOf, type Session, undo } from './session.ts';
import { type Transaction, withSetState } from './state.ts';
import { linksBefore } from './transaction.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';

export interface RollbackOptions {
  readonly to?: string | undefined;
  /** Pauses the set, so that no sync publishes the source again. */
  readonly hold?: boolean | undefined;
}

/**
 * Points all links of the set to an earlier snapshot, on all hosts or none. Without `to` it is the one before the
 * newest; when the set shows an older one than the newest already, nothing changes.
 */
export function rollbackMirrors(
  set: MirrorSet,
  context: MirrorContext,
  { to, hold = false }: RollbackOptions = {},
): Promise<MirrorResult> {
  return withSetState(set, context, (state) =>
    journaled(set, context, async () => {
      const base = { set, state, context };
      const result = await withOpenHosts(base, async (work) => {
        const result = await rollBack(work, to);
        await state.saveLast(result);
        const done = result.outcome === 'committed' || result.outcome === 'unchanged';
        if (!done) return result;
        if (hold && (await state.paused()) === null) await state.pause({ since: context.now() });
        return { ...result, notes: await notesOn(work, result) };
      });
      return runAfter(base, { ...result, did: 'rolled-back' });
    }),
  );
}

/** What follows from a rollback, and how to have it otherwise. */
async function notesOn({ set, state, sessions }: Work, { snapshot, outcome }: MirrorResult): Promise<string[]> {
  const common = sessions[0]?.view?.snapshots ?? [];
  const older = common.filter((name) => snapshot !== null && name < snapshot).reverse();
  const command = `sluice mirror rollback ${set.name} --to`;
  const further =
    older.length === 0
      ? 'there is no earlier snapshot'
      : `further back: \`${command} ${older[0]}\` (${older.length} to choose from, see status)`;
  const held = (await state.paused()) !== null;
  const next = held
    ? `${set.name} is paused: syncs wait for \`sluice mirror resume ${set.name}\``
    : `the next sync publishes the source again, as a new snapshot; to keep this one: \`sluice mirror pause ${set.name}\`, or --hold`;
  if (outcome === 'unchanged') return [`${snapshot} was shown already`, further, next];
  const clients =
    'clients that saw the newer index: apt keeps it, without a word, and fails with 404 on what is not here; ' +
    'dnf and zypper until theirs expires. To reach them, publish the earlier packages again as a newer state';
  return [next, further, clients];
}

async function rollBack(work: Work, to: string | undefined): Promise<MirrorResult> {
  const { state, context, sessions, lost } = work;
  if (lost.length > 0) return report(work, { snapshot: null, outcome: 'diverged' });
  if (sessions.some(({ error }) => error !== null)) {
    for (const session of sessions) session.error &&= sayUnsynced(work.set.name, session.error);
    return report(work, { snapshot: null, outcome: 'failed' });
  }
  const target = chooseTarget(sessions, to);
  if (target instanceof MirrorError) {
    for (const session of sessions) session.error = target;
    return report(work, { snapshot: null, outcome: 'failed' });
  }
  const moving = sessions.filter(({ host, view }) => view !== null && !shows(host.set, view, target));
  if (moving.length === 0) return report(work, { snapshot: target, outcome: 'unchanged' });
  const transaction: Transaction = {
    snapshot: target,
    phase: 'flipping',
    fresh: false,
    digest: null,
    hosts: Object.fromEntries(moving.map(({ host, view }) => [host.name, view ? linksBefore(host, view) : {}])),
  };
  await state.saveTransaction(transaction);
  for (const session of moving) session.phase = 'verify';
  await flipTogether(moving, target);
  if (moving.some(({ error }) => error !== null)) {
    const left = await undo(moving, transaction, { state, context });
    await state.saveTransaction(null);
    const diverged = left.some(({ phase }) => phase === 'flip');
    return report(work, { snapshot: null, outcome: diverged ? 'diverged' : 'failed' });
  }
  await state.saveCommitted({ snapshot: target, digest: null });
  await state.saveTransaction(null);
  return report(work, { snapshot: target, outcome: 'committed' });
}

/** Where nothing was ever published there is nothing to go back to: directories that could be made would not help. */
function sayUnsynced(set: string, error: MirrorError): MirrorError {
  if (error.code !== 'missing') return error;
  return new MirrorError('missing', `nothing was published here: \`sluice mirror sync ${set}\` comes first`);
}

/** The snapshot to go to among those that every host has, or why there is none. */
function chooseTarget(sessions: readonly Session[], to: string | undefined): string | MirrorError {
  const all = sessions.map(({ view }) => view?.snapshots ?? []);
  const common = (all[0] ?? []).filter((name) => all.every((names) => names.includes(name)));
  if (to !== undefined) {
    if (common.includes(to)) return to;
    return new MirrorError('expired', `${to} is not there on every host: it has expired, or never was`);
  }
  const newest = all.flat().sort().at(-1);
  const shown = sessions[0]?.previous ?? null;
  const agreed = sessions.every(({ previous }) => previous === shown);
  if (agreed && shown !== null && shown !== newest) return shown;
  if (newest === undefined) return new MirrorError('missing', 'nothing was published here: there is no snapshot');
  const before = common.filter((name) => name < newest).at(-1);
  return before ?? new MirrorError('missing', 'there is no earlier snapshot on every host');
}

async function report(
  { set, state, sessions }: Work,
  { snapshot, outcome }: Pick<MirrorResult, 'snapshot' | 'outcome'>,
): Promise<MirrorResult> {
  const failed = snapshot === null;
  const after = snapshot === null ? null : await state.packages(snapshot);
  const hosts: Record<string, MirrorResult['hosts'][string]> = {};
  let changes = noChanges;
  for (const session of sessions) {
    const moved = session.phase === 'flip';
    const kept = moved ? 'rolled-back' : 'unchanged';
    const done = moved ? 'committed' : 'unchanged';
    if (!failed) session.phase = 'done';
    const ended = session.error !== null ? 'failed' : failed ? kept : done;
    const before = session.previous === null ? null : await state.packages(session.previous);
    const packages = ended === 'committed' && before && after ? packageChanges(before, after) : noChanges;
    if (ended === 'committed') changes = packages;
    hosts[session.host.name] = { ...resultOf(session, ended), packages };
  }
  return { set: set.name, snapshot, outcome, hosts, packages: changes };
}
