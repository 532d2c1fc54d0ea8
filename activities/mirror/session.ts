import { basename, dirname } from 'node:path';
import { type HostOutcome, type HostPhase, type HostResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import { type FoundHost, type HostView, type MirrorHost, openHost, prepareRoot, shownSnapshot } from './host.ts';
import { type HeldLock, takeLock } from './lock.ts';
import type { PoolPlan } from './pool.ts';
import type { SetState, Transaction } from './state.ts';
import { isTemporary } from './temporary-name.ts';
import { type PreparedFlip, undoOn } from './transaction.ts';
import type { Transferred } from './transport.ts';
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
  /** What its pool is to get, where the set has one. */
  pool: PoolPlan | null;
  /** Its links, where they were made ready to be turned together with something else. */
  flip: PreparedFlip | null;
  /** Done when its lock is given back; null while it is worked on. */
  closed: Promise<void> | null;
}

/** Opens all hosts side by side and lists them. Nothing but missing directories is made. */
export async function openSessions(set: MirrorSet, context: MirrorContext): Promise<Session[]> {
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
      pool: null,
      flip: null,
      closed: null,
    }),
  );
  await forEach(sessions, (session) => look(session, context));
  return sessions;
}

interface Holding {
  readonly state: SetState;
  readonly context: MirrorContext;
}

/** Locks the hosts that answer, and takes back what an earlier command left there. */
export async function holdSessions(sessions: readonly Session[], { state, context }: Holding) {
  const owed = await state.undone();
  const up = sessions.filter(({ error }) => error === null);
  await forEach(up, (session) => hold(session, { state, context, owed: owed[session.host.name] ?? [] }));
  if (Object.keys(owed).length === 0) return;
  const left = sessions.filter(({ error, host }) => error !== null && owed[host.name] !== undefined);
  await state.saveUndone(Object.fromEntries(left.map(({ host }) => [host.name, owed[host.name] ?? []])));
}

/**
 * Gives the locks back, and ends connections; a host that is gone keeps its lock until the lease ends. What is closed
 * already, or about to be, is waited for.
 */
export async function closeSessions(sessions: readonly Session[]): Promise<void> {
  await Promise.all(
    sessions.map((session) => {
      session.closed ??= close(session);
      return session.closed;
    }),
  );
}

async function close({ host, lock }: Session): Promise<void> {
  await lock?.release();
  await host.transport.close();
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
        await undoOn(session.host, state, transaction);
        session.target = session.previous;
      } catch (error) {
        const cause = asMirrorError(error);
        context.log(`${session.host.name}: cannot undo: ${cause.message}`);
        session.error ??= cause;
        failed.push(session);
      }
    }),
  );
  if (failed.length === 0) return failed;
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

async function look(session: Session, { log }: MirrorContext): Promise<void> {
  const { host, view } = await prepareRoot(session.host);
  session.host = host;
  if (view.unread !== null) log(`${host.name}: a part of it cannot be read: ${view.unread}`);
  see(session, view);
}

async function hold(
  session: Session,
  { state, context, owed }: Holding & { readonly owed: readonly Transaction[] },
): Promise<void> {
  const { host } = session;
  const lock = await takeLock({ host, view: session.view ?? (await host.view()) }, state.holder, context);
  session.lock = lock;
  // It may have changed since it was looked at.
  const { view } = lock;
  await removeTemporary({ host, view });
  for (const transaction of [...owed].reverse()) await undoOn(host, state, transaction);
  see(session, owed.length === 0 ? view : await host.view());
}

/** What a command that was killed had begun to put in place. */
async function removeTemporary({ host: { set, transport }, view }: FoundHost): Promise<void> {
  for (const { name } of view.entries) {
    if (isTemporary(set.name, name)) await transport.remove(dirname(name), [basename(name)]);
  }
}

function see(session: Session, view: HostView): void {
  session.view = view;
  session.previous = shownSnapshot(session.host.set, view);
  session.target = session.previous;
}
