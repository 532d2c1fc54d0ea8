import type { MirrorDeed } from '../../pipelines/mirror/outcome.ts';
import { opensAt } from '../../pipelines/mirror/window.ts';
import { openSetState, type SetState } from './state.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/** Why a sync does not begin. */
interface Wait {
  readonly did: Extract<MirrorDeed, 'queued' | 'waiting'>;
  readonly said: string;
  readonly notes: readonly string[];
}

/** What a sync has to wait for: for the set to be resumed, or for its window; null when it may begin. */
export async function waitOf(set: MirrorSet, state: SetState, now: number): Promise<Wait | null> {
  if ((await state.paused()) === null) return shutFor(set, now);
  return { did: 'queued', said: `${set.name} is paused: it will be synchronised when it is resumed`, notes: [] };
}

/** The same of the set's window alone. */
export function shutFor(set: MirrorSet, now: number): Wait | null {
  const said = sayShut(set, now);
  if (said === null) return null;
  const how = `a running server begins it then; \`sluice mirror sync ${set.name} --now\` sends it now`;
  return { did: 'waiting', said: `${set.name}: ${said}`, notes: [said, how] };
}

/** Until when the set's window is shut; null while it is open. */
export function sayShut({ window }: Pick<MirrorSet, 'window'>, now: number): string | null {
  const opens = window === undefined ? null : opensAt(window, now);
  if (window === undefined || opens === null) return null;
  return `syncs begin ${window.text}: the next one at ${new Date(opens).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Whether a sync that waited may begin. */
export async function isDue(set: MirrorSet, context: MirrorContext): Promise<boolean> {
  const state = await openSetState(set, context);
  return (await state.queued()) && (await waitOf(set, state, context.now())) === null;
}
