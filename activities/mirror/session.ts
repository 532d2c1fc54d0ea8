import { type HostOutcome, type HostPhase, type HostResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import { type HostView, type MirrorHost, openHost, prepareRoot, shownSnapshot } from './host.ts';
import { type HeldLock, takeLock } from './lock.ts';
import type { Transferred } from './send.ts';
import type { SetState, Transaction } from './state.ts';
import { undoOn } from './transaction.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';

/** One host while a command works on it. */
export interface Session {
  host: MirrorHost;
  phase: HostPhase;
  error: MirrorError | null;
  view: HostView | null;
  lock: HeldLock | null;
  /** What it showed when we came, and what it shows now as far as is known. */
  previous: string | null;
  target: string | null;
  transferred: Transferred | null;
}

/** Opens all hosts side by side: lists them, locks them, and takes back what an earlier command left there. */
export async function openSessions(set: MirrorSet, state: SetState, context: MirrorContext): Promise<Session[]> {
  const sessions = Object.keys(set.hosts).map(
    (name): Session => ({
      host: openHost(set, name, context.signal),
      phase: 'connect',
      error: null,
      view: null,
      lock: null,
      previous: null,
      target: null,
      transferred: null,
    }),
  );
  const owed = await state.undone();
  await forEach(sessions, (session) => connect(session, { state, context, owed: owed[session.host.name] ?? [] }));
  const left = sessions.filter(({ error, host }) => error !== null && owed[host.name] !== undefined);
  await state.saveUndone(Object.fromEntries(left.map(({ host }) => [host.name, owed[host.name] ?? []])));
  return sessions;
}

/** Gives the locks back, and ends connections; a host that is gone keeps its lock until the lease ends. */
export async function closeSessions(sessions: readonly Session[], context: MirrorContext): Promise<void> {
  await Promise.all(
    sessions.map(async ({ host, lock }) => {
      await lock?.release().catch((error) => context.log(`${host.name}: cannot give the lock back: ${error.message}`));
      await host.transport.close();
    }),
  );
}

/** Does something on hosts side by side; what goes wrong is kept as the host's own error. */
export async function forEach(sessions: readonly Session[], work: (session: Session) => Promise<void>): Promise<void> {
  await Promise.all(
    sessions.map(async (session) => {
      try {
        await work(session);
      } catch (error) {
        session.error = asMirrorError(error);
      }
    }),
  );
}

/** Takes a transaction back on hosts; on those that cannot be reached it is owed. */
export async function undo(
  sessions: readonly Session[],
  transaction: Transaction,
  { state, context }: { readonly state: SetState; readonly context: MirrorContext },
): Promise<Session[]> {
  const failed: Session[] = [];
  await Promise.all(
    sessions.map(async (session) => {
      try {
        await undoOn(session.host, transaction);
        session.target = session.previous;
      } catch (error) {
        const cause = asMirrorError(error);
        context.log(`${session.host.name}: cannot undo: ${cause.message}`);
        session.error ??= cause;
        failed.push(session);
      }
    }),
  );
  const owed = await state.undone();
  const more = failed.map(({ host: { name } }) => [name, [...(owed[name] ?? []), transaction]] as const);
  await state.saveUndone({ ...owed, ...Object.fromEntries(more) });
  return failed;
}

export function resultOf(session: Session, outcome: HostOutcome): HostResult {
  const { phase, target, previous, error, transferred } = session;
  return {
    outcome,
    phase,
    target,
    previous,
    bytes: transferred?.bytes ?? 0,
    files: transferred?.files ?? 0,
    packages: noChanges,
    error: error === null ? null : { code: error.code, message: error.message },
  };
}

/** A host that nothing was done to. */
export function plainResult(given: {
  readonly target: string | null;
  readonly error?: MirrorError | null;
}): HostResult {
  const { target, error = null } = given;
  return {
    outcome: error === null ? 'unchanged' : 'failed',
    phase: error === null ? 'done' : 'connect',
    target,
    previous: target,
    bytes: 0,
    files: 0,
    packages: noChanges,
    error: error === null ? null : { code: error.code, message: error.message },
  };
}

export function asMirrorError(error: unknown): MirrorError {
  if (error instanceof MirrorError) return error;
  return new MirrorError('internal', error instanceof Error ? error.message : String(error));
}

interface Connect {
  readonly state: SetState;
  readonly context: MirrorContext;
  readonly owed: readonly Transaction[];
}

async function connect(session: Session, { state, context, owed }: Connect): Promise<void> {
  const found = await prepareRoot(session.host);
  const { host, view } = found;
  session.host = host;
  if (view.unread !== null) context.log(`${host.name}: a part of it cannot be read: ${view.unread}`);
  session.lock = await takeLock(found, state.holder, context);
  for (const transaction of [...owed].reverse()) await undoOn(host, transaction);
  session.view = owed.length === 0 ? view : await host.view();
  session.previous = shownSnapshot(host.set, session.view);
  session.target = session.previous;
}
