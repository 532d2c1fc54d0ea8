import type { Actor } from '../../../pipelines/model/actor.ts';
import type { ConnectionRule } from '../../../pipelines/model/pipeline.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import type { ReviewReport } from '../port.ts';
import { findOne, type HostSettings, modify } from './client.ts';
import { addReport } from './record.ts';
import { personOf } from './schema.ts';

/** Says what came of a patch set, once for each key. @throws Denied */
export async function report(settings: HostSettings, actor: Actor, said: ReviewReport): Promise<void> {
  const { key, change, patchset, message, about, body } = said;
  demand(actor, 'report', { name: change });
  const comment = body.comment === false ? null : message;
  const opinion = { by: personOf(actor), time: Date.now(), comment, votes: reportedVotes(body) };
  await modify(settings, await findOne(settings, change), ({ record }) => {
    const entry = addReport(record, { key, patchset, ...(about === undefined ? {} : { about }) }, opinion);
    return entry === null ? null : { entry };
  });
}

/** Keys of a reporter's body that are no labels. */
const settings = new Set(['comment', 'submit']);

/** The votes of a reporter's body: every key but `comment` and `submit` is a label. Others than numbers are left out. */
function reportedVotes(body: ConnectionRule['body']): Record<string, number> {
  const labels = Object.entries(body).filter(([key]) => !settings.has(key));
  return Object.fromEntries(
    labels.flatMap(([label, value]) => (Number.isInteger(value) ? [[label, Number(value)]] : [])),
  );
}
