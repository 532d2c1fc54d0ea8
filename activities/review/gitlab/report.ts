import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { firstLine, hashOf, namesIn, nextComment, type OwnComment, ownComments } from '../comments.ts';
import { pageOf } from '../cut.ts';
import { HostRefusal } from '../http.ts';
import type { ReviewReport } from '../port.ts';
import { headOf, type RequestFacts } from './map.ts';
import { changeId, projectPath, requestPath } from './names.ts';
import { type Desk, demandFacts, readNotes } from './read.ts';
import { readStatuses } from './requirements.ts';
import { requestSchema } from './schema.ts';

/** Says what came of a patch set: a status, labels, an approval, a note; each once for a key. @throws Denied */
export async function report(desk: Desk, actor: Actor, said: ReviewReport): Promise<void> {
  demand(actor, 'report', { name: said.change });
  const facts = await demandFacts(desk, said.change);
  const about = { desk, facts, said, key: hashOf(said.key) };
  const notes = said.body.comment === false || said.message.trim() === '' ? null : await readOwn(about);
  if (notes?.some(({ mark }) => mark.keys.includes(about.key))) return;
  // What was merged is told the end of it; what was closed without is not.
  if (facts.request.state !== 'closed' && facts.heads.length === said.patchset) {
    await giveStatus(about);
    await setLabels(about);
    await giveApproval(about);
  }
  // Last: whoever repeats the report looks for it.
  if (notes !== null) await note(about, notes);
}

interface About {
  readonly desk: Desk;
  readonly facts: RequestFacts;
  readonly said: ReviewReport;
  readonly key: string;
}

const states: Readonly<Record<string, string>> = { pending: 'pending', success: 'success', failure: 'failed' };

/** The status `sluice/PIPELINE` on the head. Its address ends with the report's key: said once, it is not said again. */
async function giveStatus({ desk, facts, said, key }: About): Promise<void> {
  const given = said.body.status;
  const state = typeof given === 'string' && Object.hasOwn(states, given) ? states[given] : undefined;
  if (state === undefined) return;
  const { project } = facts.name;
  const pipeline = said.about?.pipeline;
  const name = pipeline === undefined ? 'sluice' : `sluice/${pipeline}`;
  const before = (await readStatuses(desk, facts)).find((each) => each.name === name);
  // The host takes nothing that is pending already for pending once more.
  if (before?.status === state && (state === 'pending' || before.target_url?.endsWith(`#sluice-${key}`))) return;
  const place = typeof said.body['status-url'] === 'string' ? said.body['status-url'] : detailsOf(desk, facts);
  const body = {
    ...{ state, name, target_url: `${place}#sluice-${key}`, description: firstLine(said.message) },
    // Without it the host looks for a branch with that commit, and that of a fork is not there.
    ref: facts.request.source_branch.slice(0, 255),
  };
  await desk.client.send('POST', `${projectPath(project)}/statuses/${headOf(facts)}`, body);
  const after = (await readStatuses(desk, facts)).find((each) => each.name === name);
  if (after?.status !== state) {
    throw new Error(`${desk.site.connection} has not kept the status ${name} of ${project}!${facts.name.number}`);
  }
}

function detailsOf({ page, site }: Desk, { name, request }: RequestFacts): string {
  return page === '' ? request.web_url : pageOf(page, changeId(site.connection, name));
}

async function setLabels({ desk, facts, said }: About): Promise<void> {
  const has = new Set(facts.request.labels);
  const put = namesIn(said.body.label).filter((name) => !has.has(name));
  const off = namesIn(said.body.unlabel).filter((name) => has.has(name));
  if (put.length + off.length === 0) return;
  const body = { add_labels: put.join(','), remove_labels: off.join(',') };
  const now = requestSchema.parse(await desk.client.send('PUT', requestPath(facts.name), body)).labels;
  const lost = put.filter((name) => !now.includes(name));
  if (lost.length === 0) return;
  throw new Error(`${facts.name.project} has no label ${lost.join(', ')}, and Sluice may not make it: make it there`);
}

/** `approval: true` approves, `false` takes Sluice's approval back. */
async function giveApproval({ desk, facts, said }: About): Promise<void> {
  const { approval } = said.body;
  if (typeof approval !== 'boolean') return;
  const self = await desk.self();
  const has = facts.approvals.approved_by.some(({ user }) => user.username === self);
  const path = requestPath(facts.name);
  if (!approval) {
    if (has) await desk.client.send('POST', `${path}/unapprove`);
    return;
  }
  // One that was given to an earlier head is given anew, which the host takes only after the other is taken back.
  if (has) await desk.client.send('POST', `${path}/unapprove`).catch(ignoreAbsent);
  await desk.client.send('POST', `${path}/approve`, { sha: headOf(facts) });
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof HostRefusal) || error.status !== 404) throw error;
}

async function readOwn({ desk, facts }: About): Promise<readonly OwnComment[]> {
  const [self, notes] = await Promise.all([desk.self(), readNotes(desk, facts.name)]);
  return ownComments(
    self,
    notes.filter(({ system }) => !system).map(({ id, author, body }) => ({ id, by: author?.username, body })),
  );
}

async function note({ desk, facts, said }: About, notes: readonly OwnComment[]): Promise<void> {
  const { body, before } = nextComment({ ...said, message: withoutCommands(said.message) }, notes, desk.page);
  const path = `${requestPath(facts.name)}/notes`;
  if (before === undefined) await desk.client.send('POST', path, { body });
  else await desk.client.send('PUT', `${path}/${before.id}`, { body });
}

/**
 * GitLab does what a line of a note says that begins with a slash: `/approve`, `/merge`. Reports quote what jobs wrote,
 * and whoever wrote a job would act as Sluice.
 */
export function withoutCommands(message: string): string {
  return message.replace(/^([\s\u00a0\ufeff]*)\//gmu, '$1\\/');
}
