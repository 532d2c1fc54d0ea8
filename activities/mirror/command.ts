import { finishRemoving } from './prune.ts';
import { recover } from './recover.ts';
import { closeSessions, holdSessions, openSessions, type Session } from './session.ts';
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

/** What a command works with that is the set's only one. */
export type Base = Pick<Work, 'set' | 'state' | 'context'>;

/**
 * The same for a command that is the set's only one already.
 *
 * @param look what may be all there is to do: it comes ahead of any lock, and is null where it is not
 */
export async function withOpenHosts<T>(
  { set, state, context }: Base,
  run: (work: Work) => Promise<T>,
  look?: (sessions: readonly Session[]) => Promise<T | null>,
): Promise<T> {
  const sessions = await openSessions(set, context);
  try {
    const seen = (await look?.(sessions)) ?? null;
    if (seen !== null) return seen;
    await holdSessions(sessions, { state, context });
    const lost = await recover(sessions, { state, context });
    await finishRemoving(sessions, { state, context });
    return await run({ set, state, context, sessions, lost });
  } finally {
    await closeSessions(sessions);
  }
}
