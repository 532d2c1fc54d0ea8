import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import { journaled } from './journal.ts';
import { openSetState, withSetState } from './state.ts';
import { syncSet, untouched } from './sync.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/**
 * Lets no sync begin until the set is resumed. One that goes on now is not waited for: it ends as it would have.
 */
export async function pauseMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  const state = await openSetState(set, context);
  if ((await state.paused()) === null) await state.pause({ since: context.now() });
  return { ...(await untouched(set, state)), did: 'paused' };
}

/** Syncs if a sync was asked for meanwhile: once, to what the source is now. */
export function resumeMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  return withSetState(set, context, async (state) => {
    const wanted = await state.queued();
    const result = wanted
      ? await journaled(set, context, () => syncSet({ set, state, context }))
      : await untouched(set, state);
    await state.resume();
    const nothing = wanted ? [] : ['no sync was asked for meanwhile'];
    return { ...result, did: 'resumed', notes: [...(result.notes ?? []), ...nothing] };
  });
}

/** What a sync comes to for whoever has asked for it: of a set that is paused nothing was looked at. */
export function saidOutcome({ did, outcome }: Pick<MirrorResult, 'did' | 'outcome'>): string {
  return did === 'queued' ? 'paused' : outcome;
}
