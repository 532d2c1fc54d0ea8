import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { asCode } from '../../../pipelines/report/markdown.ts';
import { bounded, firstLine, hashOf, namesIn, nextComment, type OwnComment, ownComments } from '../comments.ts';
import { pageOf } from '../cut.ts';
import { HostRefusal } from '../http.ts';
import type { ReviewReport } from '../port.ts';
import type { PullFacts } from './map.ts';
import { type Desk, demandFacts } from './read.ts';
import { commentsSchema, labelsSchema, lineCommentsSchema, statusesSchema } from './schema.ts';

/** Says what came of a patch set: a status, labels, a review, a comment; each once for a key. @throws Denied */
export async function report(desk: Desk, actor: Actor, said: ReviewReport): Promise<void> {
  demand(actor, 'report', { name: said.change });
  const facts = await demandFacts(desk, said.change);
  const about = { desk, facts, said, key: hashOf(said.key) };
  const comments = said.body.comment === false || said.message.trim() === '' ? null : await readOwn(about);
  const told = comments?.some(({ mark }) => mark.keys.includes(about.key)) ?? false;
  if (told) return;
  // What was merged is told the end of it; what was closed without is not.
  const stands = facts.pull.state === 'open' || facts.pull.merged === true;
  if (stands && facts.patchset === said.patchset) {
    await giveStatus(about);
    await setLabels(about);
    await giveReview(about);
    await commentOnLines(about);
  }
  // Last: whoever repeats the report looks for it.
  if (comments !== null) await comment(about, comments);
}

interface About {
  readonly desk: Desk;
  readonly facts: PullFacts;
  readonly said: ReviewReport;
  readonly key: string;
}

const states = ['pending', 'success', 'failure'];

/** The status `sluice/PIPELINE` on the head. Its address ends with the report's key: said once, it is not said again. */
async function giveStatus({ desk, facts, said, key }: About): Promise<void> {
  const state = said.body.status;
  if (typeof state !== 'string' || !states.includes(state)) return;
  const { project } = facts.name;
  const pipeline = said.about?.pipeline;
  const context = pipeline === undefined ? 'sluice' : `sluice/${pipeline}`;
  const path = `/repos/${project}/commits/${facts.head}/statuses`;
  const before = await desk.client.list(path, { schema: statusesSchema, most: 10 });
  if (before.some((each) => each.context === context && each.target_url?.endsWith(`#sluice-${key}`))) return;
  const place = typeof said.body['status-url'] === 'string' ? said.body['status-url'] : detailsOf(desk, facts);
  const body = { context, state, target_url: `${place}#sluice-${key}`, description: firstLine(said.message) };
  await desk.client.send('POST', `/repos/${project}/statuses/${facts.head}`, body);
  const after = await desk.client.list(path, { schema: statusesSchema, most: 1 });
  if (!after.some((each) => each.context === context && each.target_url === body.target_url)) {
    throw new Error(`${desk.site.connection} has not kept the status ${context} of ${project}#${facts.name.number}`);
  }
}

function detailsOf({ page, site }: Desk, { name, pull }: PullFacts): string {
  return page === '' ? pull.html_url : pageOf(page, `${site.connection}:${name.project}#${name.number}`);
}

async function setLabels({ desk, facts, said }: About): Promise<void> {
  const { project, number } = facts.name;
  const path = `/repos/${project}/issues/${number}/labels`;
  const has = new Map(facts.pull.labels.map(({ name, id }) => [name, id]));
  const put = namesIn(said.body.label).filter((name) => !has.has(name));
  const off = namesIn(said.body.unlabel).flatMap((name) => has.get(name) ?? []);
  for (const id of off) await desk.client.send('DELETE', `${path}/${id}`);
  if (put.length === 0) return;
  await desk.client.send('POST', path, { labels: put });
  const now = new Set((await desk.client.get(path, labelsSchema)).map(({ name }) => name));
  const lost = put.filter((name) => !now.has(name));
  if (lost.length > 0) throw new Error(`${project} has no label ${lost.join(', ')}: make it there, or for its owner`);
}

/** `approval: true` approves, `false` takes Sluice's approval back. */
async function giveReview({ desk, facts, said }: About): Promise<void> {
  const { approval } = said.body;
  if (typeof approval !== 'boolean') return;
  const { project, number } = facts.name;
  const path = `/repos/${project}/pulls/${number}/reviews`;
  const self = await desk.self();
  const own = facts.reviews.filter(
    ({ user, state, dismissed }) => user?.login === self && state === 'APPROVED' && !dismissed,
  );
  if (!approval) {
    for (const { id } of own) await desk.client.send('POST', `${path}/${id}/dismissals`, { message: 'taken back' });
    return;
  }
  if (own.some(({ commit_id }) => commit_id === facts.head)) return;
  const answer = await desk.client.send('POST', path, { event: 'APPROVED', commit_id: facts.head });
  if (answer === null) throw new Error(`${desk.site.connection} has not kept the approval of ${project}#${number}`);
}

/**
 * What jobs found, on the lines of the change's files, in one review without a verdict. What an earlier one says of the
 * same file is not said again, though its line may be another.
 */
async function commentOnLines({ desk, facts, said }: About): Promise<void> {
  const { comments = [] } = said;
  if (comments.length === 0) return;
  const { project, number } = facts.name;
  const path = `/repos/${project}/pulls/${number}/reviews`;
  const self = await desk.self();
  const own = facts.reviews.filter(({ user, state }) => user?.login === self && state === 'COMMENT');
  const before = await Promise.all(
    own.map(({ id }) => desk.client.get(`${path}/${id}/comments`, lineCommentsSchema).catch(unlessGone)),
  );
  const known = before.flat().map(({ path: file, body }) => JSON.stringify([file, body.trim()]));
  const fresh = comments.flatMap(({ file, line = 1, message }) => {
    const body = asCode(bounded(message));
    const at = known.indexOf(JSON.stringify([file, body.trim()]));
    if (at >= 0) known.splice(at, 1);
    return at >= 0 ? [] : [{ path: file, body, new_position: line }];
  });
  if (fresh.length === 0) return;
  await desk.client.send('POST', path, { event: 'COMMENT', commit_id: facts.head, comments: fresh });
}

/** A review that was removed meanwhile has no comments. */
function unlessGone(error: unknown): readonly [] {
  if (error instanceof HostRefusal && error.status === 404) return [];
  throw error;
}

async function readOwn({ desk, facts }: About): Promise<readonly OwnComment[]> {
  const { project, number } = facts.name;
  const [self, comments] = await Promise.all([
    desk.self(),
    desk.client.list(`/repos/${project}/issues/${number}/comments`, { schema: commentsSchema }),
  ]);
  return ownComments(
    self,
    comments.map(({ id, user, body }) => ({ id, by: user?.login, body })),
  );
}

async function comment({ desk, facts, said }: About, comments: readonly OwnComment[]): Promise<void> {
  const { project, number } = facts.name;
  const { body, before } = nextComment(said, comments, desk.page);
  if (before === undefined) await desk.client.send('POST', `/repos/${project}/issues/${number}/comments`, { body });
  else await desk.client.send('PATCH', `/repos/${project}/issues/comments/${before.id}`, { body });
}
