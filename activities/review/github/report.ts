import { z } from 'zod';
import type { Actor } from '../../../pipelines/model/actor.ts';
import type { LineComment } from '../../../pipelines/model/line-comment.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { inMarkdown } from '../../../pipelines/report/markdown.ts';
import { hashOf, wordOf } from '../comments.ts';
import { cutTo, showing } from '../cut.ts';
import { HostRefusal } from '../http.ts';
import { type Mark, readMark, withMark, withoutMark } from '../mark.ts';
import type { ReviewProgress, ReviewReport } from '../port.ts';
import { type Annotation, type CheckWords, reportCheck, reportProgress } from './checks.ts';
import { type Found, findOne, type Place } from './pulls.ts';
import { commentSchema, labelSchema, reviewSchema } from './schema.ts';
import { giveStatus } from './status.ts';

/** What a reporter's body may say; other keys are for other parts of Sluice. */
const bodySchema = z.looseObject({
  comment: z.boolean().optional(),
  status: z.string().optional(),
  'status-url': z.string().optional(),
  check: z.string().optional(),
  label: z.union([z.string(), z.array(z.string())]).optional(),
  unlabel: z.union([z.string(), z.array(z.string())]).optional(),
  review: z.enum(['approve', 'request-changes', 'comment']).optional(),
  'review-body': z.string().optional(),
});

type Body = z.infer<typeof bodySchema>;

interface Saying {
  readonly found: Found;
  readonly said: ReviewReport;
  readonly body: Body;
  /** Name of our checks and statuses. */
  readonly context: string;
  readonly details: string | undefined;
}

/** GitHub's limit, in characters. */
const mostComment = 65_000;

/**
 * Says what came of a patch set, by comment, status, check run, labels and review, once for each key. On an older
 * patch set than the current one only the comment is left.
 *
 * @throws Denied; an error when GitHub has not recorded what was said
 */
export async function report(place: Place, actor: Actor, said: ReviewReport): Promise<void> {
  demand(actor, 'report', { name: said.change });
  const found = await findOne(place, said.change, 1);
  const body = bodySchema.parse(said.body);
  const context = `sluice/${said.about?.pipeline ?? 'check'}`;
  const details = body['status-url'] ?? place.pageOf(said.change);
  const saying: Saying = { found, said, body, context, details };
  if (said.patchset === found.patchset) {
    if (body.status !== undefined) {
      const about = { project: found.project, head: found.pull.head.sha, context, details };
      await giveStatus(place, { ...about, state: body.status, description: firstLine(said.message) });
    }
    if (body.check !== undefined) {
      const message = inMarkdown(said.message);
      const { project, pull } = found;
      const what = { title: firstLine(message), summary: message, details, annotations: annotationsOf(said.comments) };
      const mark = hashOf(said.key);
      await reportCheck(place, { project, head: pull.head.sha, name: context, mark, state: body.check, ...what });
    }
    await setLabels(place, saying);
    if (body.review !== undefined) await review(place, saying, body.review);
  }
  if (body.comment !== false && said.message.trim() !== '') await comment(place, saying);
}

/** Shows how far the jobs are in the check run that has begun with them; a token has none. @throws Denied */
export async function tellProgress(place: Place, actor: Actor, progress: ReviewProgress): Promise<void> {
  demand(actor, 'report', { name: progress.change });
  if (place.settings.app === undefined) return;
  const { project, pull, patchset } = await findOne(place, progress.change, 1);
  if (pull.state !== 'open' || patchset !== progress.patchset) return;
  const { pipeline, title, summary } = progress;
  const about = { project, head: pull.head.sha, name: `sluice/${pipeline}`, title, summary };
  await reportProgress(place, about, (mark) => readReport(place, { project, pull }, mark));
}

/** A report as its comment has it. */
async function readReport(
  place: Place,
  { project, pull }: Pick<Found, 'project' | 'pull'>,
  mark: string,
): Promise<CheckWords | undefined> {
  const ours = await readOwn(place, { project, pull });
  const said = ours.find(({ body }) => isReport(body, mark));
  const text = withoutMark(said?.body ?? '');
  return said === undefined ? undefined : { title: firstLine(text), summary: text };
}

/** As GitHub calls them. */
const levels = { info: 'notice', warning: 'warning', error: 'failure' } as const;

function annotationsOf(comments: readonly LineComment[] = []): readonly Annotation[] {
  return comments.map(({ file, line = 1, message, level = 'warning' }) => {
    return { path: file, line, level: levels[level], message };
  });
}

async function setLabels(place: Place, { found, body }: Saying): Promise<void> {
  const { project, pull } = found;
  const has = new Set(pull.labels.map(({ name }) => name.toLowerCase()));
  const wanted = listOf(body.label).filter((name) => !has.has(name.toLowerCase()));
  if (wanted.length > 0) {
    const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/labels';
    const given = { issue_number: pull.number, labels: wanted };
    const now = await place.client.send({ project, route, with: given }, z.array(labelSchema));
    const missing = wanted.filter((name) => !now.some((one) => one.name.toLowerCase() === name.toLowerCase()));
    if (missing.length > 0) throw new Error(`GitHub has not recorded the label ${missing.join(', ')}`);
  }
  for (const name of listOf(body.unlabel).filter((each) => has.has(each.toLowerCase()))) {
    const route = 'DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}';
    await place.client
      .send({ project, route, with: { issue_number: pull.number, name } }, z.unknown())
      .catch(unlessGone);
  }
}

const events = { approve: 'APPROVE', 'request-changes': 'REQUEST_CHANGES', comment: 'COMMENT' } as const;

async function review(place: Place, { found, said, body }: Saying, kind: keyof typeof events): Promise<void> {
  const { project, pull } = found;
  const { client } = place;
  const about = { project, with: { pull_number: pull.number } };
  const route = '/repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const self = await client.self();
  const mark = markOf(said);
  const known = (await client.list({ ...about, route: `GET ${route}` }, reviewSchema)) ?? [];
  if (known.some((one) => one.user?.login === self && isReport(one.body, hashOf(said.key)))) return;
  const text = body['review-body'] ?? firstLine(said.message);
  const given = { event: events[kind], body: withMark(text, mark), commit_id: pull.head.sha };
  await client.send({ project, route: `POST ${route}`, with: { ...about.with, ...given } }, reviewSchema);
}

/** What a comment is about: the turn of a pipeline with a patch set, as it begins or as it has ended. */
function aboutTurn({ about, patchset }: ReviewReport, phase: 'begun' | 'done'): string {
  return hashOf(JSON.stringify([about?.pipeline, patchset, phase]));
}

function markOf(said: ReviewReport): Mark {
  const begins = said.about?.action === 'start' || said.about?.action === 'enqueue';
  return { about: aboutTurn(said, begins ? 'begun' : 'done'), keys: [hashOf(said.key)] };
}

/** @param key hash of the report's */
function isReport(body: string | null | undefined, key: string): boolean {
  return readMark(body ?? '')?.keys.includes(key) ?? false;
}

const ofIssue = '/repos/{owner}/{repo}/issues/{issue_number}/comments';

/** Our comments on a pull request. */
async function readOwn({ client }: Place, { project, pull }: Pick<Found, 'project' | 'pull'>) {
  const self = await client.self();
  const asked = { project, route: `GET ${ofIssue}`, with: { issue_number: pull.number } };
  return ((await client.list(asked, commentSchema)) ?? []).filter(({ user }) => user?.login === self);
}

/** Writes a comment, or changes our own: the same report's, or that of the beginning whose end this is. */
async function comment(place: Place, { found, said }: Saying): Promise<void> {
  const { project, pull } = found;
  const { client } = place;
  const text = cutTo(inMarkdown(said.message), mostComment, place.pageOf(said.change) ?? showing('', said.change));
  const body = withMark(text, { ...markOf(said), word: wordOf(said) });
  const about = { issue_number: pull.number };
  const own = await readOwn(place, { project, pull });
  const same = own.find((one) => isReport(one.body, hashOf(said.key)));
  const last = own.findLast((one) => readMark(one.body ?? '') !== null);
  const begun = readMark(last?.body ?? '')?.about === aboutTurn(said, 'begun') ? last : undefined;
  const before = same ?? begun;
  if (before === undefined) {
    await client.send({ project, route: `POST ${ofIssue}`, with: { ...about, body } }, commentSchema);
  } else if (before.body !== body) {
    const change = 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}';
    await client.send({ project, route: change, with: { comment_id: before.id, body } }, commentSchema);
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.toWellFormed() ?? '';
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function unlessGone(error: unknown): void {
  if (!(error instanceof HostRefusal) || error.status !== 404) throw error;
}
