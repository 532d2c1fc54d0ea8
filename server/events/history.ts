import type { TriggerEvent } from '../../pipelines/model/change.ts';

/**
 * What happened to a change that Sluice has not seen before, without what was only said before Sluice was connected:
 * that was not said to it. What is in force still counts: patch sets, votes, and what became of the change.
 *
 * @param connected milliseconds since the epoch; undefined: always, so that all counts
 */
export function withoutOldWords(events: readonly TriggerEvent[], connected = 0): readonly TriggerEvent[] {
  return events.filter((event) => event.time >= connected || !isOnlySaid(event));
}

function isOnlySaid({ type, action, approvals = [] }: TriggerEvent): boolean {
  if (type !== 'comment-added') return action === 'comment';
  return approvals.every(({ value, oldValue }) => value === oldValue);
}
