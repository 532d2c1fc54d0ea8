import { apply, closeDraft, openDraft } from './draft.ts';
import type { GateEvent } from './event.ts';
import type { GateState } from './state.ts';

/** What the state becomes by one event that was decided. */
export function evolve(state: GateState, event: GateEvent): GateState {
  const draft = openDraft(state);
  apply(draft, event);
  return closeDraft(draft);
}
