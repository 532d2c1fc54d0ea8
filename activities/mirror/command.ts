import { recover } from './recover.ts';
import { closeSessions, openSessions, type Session } from './session.ts';
import { type SetState, withSetState } from './state.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/** What a command that changes mirrors works with. */
export interface Work {
  readonly set: MirrorSet;
  readonly state: SetState;
  readonly context: MirrorContext;
  readonly sessions: readonly Session[];
  /** Hosts that an interrupted command left, and that could not be brought back: the set has diverged. */
  readonly lost: readonly Session[];
}

/** Runs the only command on a set: all hosts open and locked, and what an interrupted command left ended first. */
export function withMirrors<T>(set: MirrorSet, context: MirrorContext, run: (work: Work) => Promise<T>): Promise<T> {
  return withSetState(set, context, (state) => withOpenHosts({ set, state, context }, run));
}

/** The same for a command that is the set's only one already. */
export async function withOpenHosts<T>(
  { set, state, context }: Pick<Work, 'set' | 'state' | 'context'>,
  run: (work: Work) => Promise<T>,
): Promise<T> {
  const sessions = await openSessions(set, state, context);
  try {
    const lost = await recover(sessions, { state, context });
    return await run({ set, state, context, sessions, lost });
  } finally {
    await closeSessions(sessions, context);
  }
}
