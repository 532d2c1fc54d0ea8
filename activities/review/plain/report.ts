import { createHash } from 'node:crypto';
import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { show } from '../../git/names.ts';
import { UnknownChange } from '../people.ts';
import type { ReviewReport } from '../port.ts';
import { type Desk, lookAt } from './look.ts';
import { parseProposalName } from './names.ts';
import { formatNote, parseNote } from './schema.ts';

/** What a reporter's body says besides votes. */
const noLabels = new Set(['comment', 'submit', 'merge']);

/** Votes and a comment, as a note on the proposed commit. @throws Denied; HostRefusal where the host takes no notes */
export async function report(desk: Desk, actor: Actor, said: ReviewReport): Promise<void> {
  demand(actor, 'report', { name: said.change });
  const name = parseProposalName(said.change, desk.connection);
  const proposal = name === null || !desk.owns(name.project) ? null : await lookAt(desk, name);
  if (proposal === null) throw new UnknownChange(`there is no change ${show(said.change)}`);
  const { heads } = proposal.state;
  const commit = heads[said.patchset - 1];
  if (commit === undefined) throw new Error(`${said.change} has no patch set ${said.patchset}`);
  const votes = said.patchset === heads.length ? votesOf(said.body) : [];
  if (votes.length === 0 && said.body.comment === false) return;
  const key = createHash('sha256').update(said.key).digest('hex').slice(0, 32);
  const edit = (text: string) => {
    if (parseNote(text).reports.includes(key)) return null;
    const before = text.trimEnd();
    return `${before}${before === '' ? '' : '\n\n'}${formatNote({ ...said, key }, votes)}`;
  };
  await desk.client.note({ project: proposal.name.project, commit, by: desk.self, edit });
}

function votesOf(body: ReviewReport['body']): readonly (readonly [string, number])[] {
  return Object.entries(body).flatMap(([label, value]) =>
    typeof value === 'number' && Number.isInteger(value) && !noLabels.has(label) ? [[label, value] as const] : [],
  );
}
