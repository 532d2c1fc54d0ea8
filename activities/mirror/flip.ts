import { forEach, type Session } from './session.ts';
import { prepareFlip } from './transaction.ts';

/**
 * Points the links of all hosts to a snapshot, as close together as can be: what goes ahead of it is done on all of
 * them first. Where that fails on one, none is turned.
 */
export async function flipTogether(sessions: readonly Session[], snapshot: string): Promise<void> {
  const turns = new Map<Session, () => Promise<void>>();
  await forEach(sessions, async (session) => {
    turns.set(session, await prepareFlip(session, snapshot));
  });
  if (turns.size < sessions.length) return;
  await forEach(sessions, async (session) => turns.get(session)?.());
}
