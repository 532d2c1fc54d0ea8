import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import { journaled } from './journal.ts';
import { openSetState, withSetState } from './state.ts';
import { syncSet, untouched } from './sync.ts';
import type { MirrorContext, MirrorSet } from './types.ts';
import { shutFor } from './wait.ts';

/**
 * Lets no sync begin until the set is resumed. One that goes on now is not waited for: it ends as it would have.
 */
export async function pauseMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  const state = await openSetState(set, context);
  if ((await state.paused()) === null) await state.pause({ since: context.now() });
  return { ...(await untouched(set, state)), did: 'paused' };
}

/** Syncs if a sync was asked for meanwhile: once, to what the source is now. Outside the set's window that goes on waiting. */
export function resumeMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  return withSetState(set, context, async (state) => {
    const wanted = await state.queued();
    const shut = wanted ? shutFor(set, context.now()) : null;
    if (shut !== null || !wanted) {
      await state.resume();
      const notes = shut?.notes ?? ['no sync was asked for meanwhile'];
      return { ...(await untouched(set, state)), did: 'resumed', notes };
    }
    const result = await journaled(set, context, () => syncSet({ set, state, context }));
    await state.unqueue();
    await state.resume();
    return { ...result, did: 'resumed' };
  });
}

/** What a sync comes to for whoever has asked for it: of a set that is paused, or waits, nothing was looked at. */
export function saidOutcome({ did, outcome }: Pick<MirrorResult, 'did' | 'outcome'>): string {
  if (did === 'waiting') return 'waiting';
  return did === 'queued' ? 'paused' : outcome;
}
