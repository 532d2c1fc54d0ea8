import { forEach, type Session } from './session.ts';
import { settleAll } from './settle.ts';
import { type PreparedFlip, prepareFlip } from './transaction.ts';

/**
 * Points the links of all hosts to a snapshot, as close together as can be: what goes ahead of it is done on all of
 * them first. Where that fails on one, none is turned.
 *
 * @param check what else is looked at on a host once its links are turned
 */
export async function flipTogether(
  sessions: readonly Session[],
  snapshot: string,
  check: (session: Session) => Promise<void> = async () => {},
): Promise<void> {
  const prepared = new Map<Session, PreparedFlip>();
  await forEach(sessions, async (session) => {
    const { flip } = session;
    session.flip = null;
    // Who was ready long before the others asks for the lock again here, and not while they turn.
    prepared.set(session, flip?.isReady(snapshot) ? flip : await prepareFlip(session, snapshot));
  });
  if (prepared.size < sessions.length) return;
  await forEach(sessions, async (session) => {
    session.phase = 'flip';
    await prepared.get(session)?.turn();
    await settleAll([prepared.get(session)?.readBack(), check(session)]);
  });
}
