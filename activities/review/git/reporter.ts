import type { ConnectionRule } from '../../../pipelines/model/pipeline.ts';

/** Keys of a reporter's body that are no labels. */
const settings = new Set(['comment', 'submit']);

/** The votes of a reporter's body: every key but `comment` and `submit` is a label. Others than numbers are left out. */
export function reportedVotes(body: ConnectionRule['body']): Record<string, number> {
  const labels = Object.entries(body).filter(([key]) => !settings.has(key));
  return Object.fromEntries(
    labels.flatMap(([label, value]) => (Number.isInteger(value) ? [[label, Number(value)]] : [])),
  );
}
