import type { TriggerEvent } from '../model/change.ts';
import type { ConnectionRule } from '../model/pipeline.ts';

/** By their types, or by their actions: a change begins anew, or somebody does with it what means that it is to go on. */
const wishes = new Set(['patchset-created', 'change-restored', 'opened', 'changed', 'reopened', 'rerequested']);
const approvals = new Set(['approved', 'labeled']);

/**
 * Whether an event that starts a pipeline says that somebody wants the change there, by a vote, by a label, or by the words
 * that the rule waits for. Others, a comment, a hashtag, a status, only say that something about the change is another.
 *
 * @param rule by which the event starts the pipeline
 */
export function isWish({ body }: ConnectionRule, event: TriggerEvent): boolean {
  const { type, action = '', comment } = event;
  if (event.approvals?.some(({ value, oldValue }) => value !== oldValue)) return true;
  if (comment !== undefined && (body.comment ?? body.comment_filter) !== undefined) return true;
  return wishes.has(type) || wishes.has(action) || approvals.has(action);
}
