import { fill, type Json } from './description.ts';
import { mergePull } from './merging.ts';
import type { Answered, Context, Handler } from './routes.ts';
import { nextId, now, type PullState, type RepositoryState, type World } from './state.ts';
import {
  account,
  changedFiles,
  commentOf,
  listedPull,
  missingApprovals,
  missingChecks,
  reviewOf,
  wholePull,
} from './views.ts';

const ok = (body: unknown): Answered => ({ status: 200, body });
const listed = (list: readonly unknown[]): Answered => ({ status: 200, list });
const failed = (status: number, message: string): Answered => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
});

type OfPull = (context: Context, pull: PullState) => Promise<Answered> | Answered;

/** A handler about a pull request that there is. */
function ofPull(handle: OfPull): Handler {
  return (context) => {
    const { pull_number: pull, issue_number: issue } = context.asked.given;
    const found = context.repository.pulls.find(({ number }) => String(number) === (pull ?? issue));
    return found === undefined ? failed(404, 'Not Found') : handle(context, found);
  };
}

const repo = '/repos/{owner}/{repo}';
const pullPath = `${repo}/pulls/{pull_number}`;
const issuePath = `${repo}/issues/{issue_number}`;

export const pullRoutes: Readonly<Record<string, Handler>> = {
  [`GET ${repo}/pulls`]: async ({ world, repository, query }) => {
    const wanted = query.get('state') ?? 'open';
    const pulls = repository.pulls.filter(({ state }) => wanted === 'all' || state === wanted);
    return listed(await Promise.all(pulls.map((pull) => listedPull(world, repository, pull))));
  },
  [`GET ${repo}/commits/{commit_sha}/pulls`]: async ({ world, repository, asked }) => {
    const pulls = repository.pulls.filter(({ head }) => head === asked.given.commit_sha);
    if (pulls.length === 0) return failed(422, `No commit found for SHA: ${asked.given.commit_sha}`);
    return listed(await Promise.all(pulls.map((pull) => listedPull(world, repository, pull))));
  },
  [`GET ${pullPath}`]: ofPull(async ({ world, repository }, pull) => ok(await wholePull(world, repository, pull))),
  [`GET ${pullPath}/files`]: ofPull(async ({ repository }, pull) => listed(await changedFiles(repository, pull))),
  [`GET ${pullPath}/reviews`]: ofPull((_, pull) => listed(pull.reviews.map(reviewOf))),
  [`POST ${pullPath}/reviews`]: ofPull(({ world, body, login }, pull) => {
    const states: Readonly<Record<string, string>> = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED' };
    const state = states[String(body.event)] ?? 'COMMENTED';
    return ok(reviewOf(addReview(world, pull, { user: login ?? '', state, body: String(body.body ?? '') })));
  }),
  [`PUT ${pullPath}/merge`]: ofPull(merge),
  [`GET ${issuePath}/timeline`]: ofPull((_, pull) => listed(pull.timeline)),
  [`GET ${issuePath}/comments`]: ofPull((_, pull) => listed(pull.comments.map(commentOf))),
  [`POST ${issuePath}/comments`]: ofPull(({ world, body, login }, pull) => {
    const text = String(body.body);
    if (text.length > 65_536) return failed(422, 'Validation Failed');
    return { status: 201, body: commentOf(addComment(world, pull, { user: login ?? '', body: text })) };
  }),
  [`PATCH ${repo}/issues/comments/{comment_id}`]: ({ world, repository, asked, body }) => {
    const isIt = ({ id }: { readonly id?: unknown }) => String(id) === asked.given.comment_id;
    const pull = repository.pulls.find(({ comments }) => comments.some(isIt));
    const comment = pull?.comments.find(isIt);
    if (pull === undefined || comment === undefined) return failed(404, 'Not Found');
    Object.assign(comment, { body: String(body.body), updated: now(world) });
    const at = pull.timeline.findIndex((each) => each.event === 'commented' && isIt(each));
    pull.timeline[at] = { ...pull.timeline[at], ...commentOf(comment) };
    return ok(commentOf(comment));
  },
  [`POST ${issuePath}/labels`]: ofPull(({ world, body, login }, pull) => {
    for (const name of (body.labels ?? []) as string[]) setLabel(world, pull, { name, by: login ?? '', on: true });
    return ok(pull.labels.map((name) => fill('label', { name })));
  }),
  [`DELETE ${issuePath}/labels/{name}`]: ofPull(({ world, asked, login }, pull) => {
    const name = asked.given.name ?? '';
    if (!pull.labels.includes(name)) return failed(404, 'Label does not exist');
    setLabel(world, pull, { name, by: login ?? '', on: false });
    return ok(pull.labels.map((each) => fill('label', { name: each })));
  }),
};

async function merge({ world, repository, body, login }: Context, pull: PullState): Promise<Answered> {
  await world.beforeMerge?.();
  if (repository.archived) return failed(403, 'Repository was archived so is read-only.');
  if (pull.state === 'closed') return failed(405, 'Pull Request is not mergeable');
  if (pull.draft) return failed(405, 'Pull Request is still a draft');
  if (body.sha !== undefined && body.sha !== pull.head) {
    return failed(409, 'Head branch was modified. Review and try the merge again.');
  }
  const method = String(body.merge_method ?? 'merge') as 'merge' | 'squash' | 'rebase';
  if (!repository.methods[method]) return failed(405, `${method} merges are not allowed on this repository.`);
  const ruled = whyNotBy(repository, method);
  if (ruled !== null) return failed(405, ruled);
  const [check] = missingChecks(repository, pull);
  if (check !== undefined) return failed(405, `Required status check "${check}" is expected.`);
  if (missingApprovals(repository, pull) > 0) return failed(405, 'At least 1 approving review is required.');
  const sha = await mergePull(repository, pull, method);
  if (sha === null) return failed(405, 'Pull Request is not mergeable');
  closePull(world, pull, login ?? '', sha);
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
}

/** What the rules of a branch say against a way to merge. */
function whyNotBy({ rules, linear }: RepositoryState, method: string): string | null {
  const isLinear = linear || rules.some(({ type }) => type === 'required_linear_history');
  if (isLinear && method === 'merge') return 'This branch must not contain merge commits.';
  const lists = rules.flatMap(({ parameters }) => {
    const { allowed_merge_methods: list } = (parameters ?? {}) as { allowed_merge_methods?: string[] };
    return list === undefined ? [] : [list];
  });
  const isAllowed = lists.every((list) => list.includes(method));
  return isAllowed ? null : `Repository rule violations found: ${method} merges are not allowed.`;
}

/** `sha`: as what it was merged. */
export function closePull(world: World, pull: PullState, by: string, sha: string | null): void {
  if (sha !== null) pull.merged = { sha, by, time: now(world) };
  pull.state = 'closed';
  if (sha !== null) addEvent(world, pull, { event: 'merged', by, commit_id: sha });
  addEvent(world, pull, { event: 'closed', by });
}

interface Event {
  readonly event: string;
  readonly by: string;
  readonly [more: string]: unknown;
}

/** Something that GitHub keeps in the timeline of a pull request. */
export function addEvent(world: World, pull: PullState, { event, by, ...more }: Event): void {
  const schema = Object.hasOwn(more, 'label') ? `${event}-issue-event` : 'state-change-issue-event';
  const time = now(world);
  const what = { event, id: nextId(), actor: account(by), commit_id: null, commit_url: null, created_at: time };
  pull.timeline.push(fill(schema, { ...what, performed_via_github_app: null, ...more }));
  pull.updated = time;
}

export function setLabel(world: World, pull: PullState, { name, by, on }: { name: string; by: string; on: boolean }) {
  pull.labels = [...pull.labels.filter((each) => each !== name), ...(on ? [name] : [])];
  addEvent(world, pull, { event: on ? 'labeled' : 'unlabeled', by, label: { name, color: 'ff0000' } });
}

export function addComment(world: World, pull: PullState, { user, body }: { user: string; body: string }) {
  const time = now(world);
  const comment = { id: nextId(), user, body, time, updated: time };
  pull.comments.push(comment);
  const actor = account(user);
  pull.timeline.push({ ...commentOf(comment), event: 'commented', actor });
  pull.updated = comment.time;
  return comment;
}

export function addReview(
  world: World,
  pull: PullState,
  { user, state, body = '' }: { readonly user: string; readonly state: string; readonly body?: string },
) {
  const review = { id: nextId(), user, state, body, commit: pull.head, time: now(world) };
  pull.reviews.push(review);
  const told: Json = { ...reviewOf(review), event: 'reviewed', state: state.toLowerCase() };
  pull.timeline.push(fill('timeline-reviewed-event', told));
  pull.updated = review.time;
  return review;
}
