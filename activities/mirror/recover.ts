import { flipTogether } from './flip.ts';
import { asMirrorError, forEach, type Session, undo } from './session.ts';
import type { SetState } from './state.ts';
import type { MirrorContext } from './types.ts';

/**
 * Ends a transaction that was found interrupted: completed where every host can, else undone, before anything else.
 *
 * @returns hosts that could not be brought back: they may show another state than the others.
 */
export async function recover(
  sessions: readonly Session[],
  { state, context }: { readonly state: SetState; readonly context: MirrorContext },
): Promise<readonly Session[]> {
  const transaction = await state.transaction();
  if (transaction === null) return [];
  const { snapshot, phase, hosts } = transaction;
  context.log(`the transaction of ${snapshot} was interrupted while ${phase}`);
  const taking = sessions.filter(({ host }) => hosts[host.name] !== undefined);
  const ready = taking.every(({ error, view }) => error === null && view?.snapshots.includes(snapshot));
  if (phase === 'flipping' && ready) {
    await flipTogether(taking, snapshot);
    if (taking.every(({ error }) => error === null)) {
      for (const session of taking) session.previous = session.target = snapshot;
      const { digest, packages } = transaction;
      if (packages != null) await state.savePackages(snapshot, packages);
      await state.saveCommitted({ snapshot, digest });
      await refresh(taking);
      await state.saveTransaction(null);
      context.log(`completed ${snapshot}`);
      return [];
    }
  }
  const failed = await undo(taking, transaction, { state, context });
  const last = await state.last();
  for (const session of failed) session.target ??= last?.hosts[session.host.name]?.target ?? null;
  await refresh(taking.filter(({ error }) => error === null));
  await state.saveTransaction(null);
  context.log(`undid ${snapshot}`);
  return failed;
}

async function refresh(sessions: readonly Session[]): Promise<void> {
  await forEach(sessions, async (session) => {
    session.view = await session.host.view().catch((error) => {
      throw asMirrorError(error);
    });
  });
}
