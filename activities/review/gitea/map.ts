import type { Change, TriggerEvent, Vote } from '../../../pipelines/model/change.ts';
import { readDependsOn, subjectOf } from '../footers.ts';
import { currentLabels } from '../journal.ts';
import { reportKey, saidIn, withoutMark } from '../mark.ts';
import { changeId, type PullName, parsePullName, pullRef, type Site } from './names.ts';
import type { Happening, Pull, Review } from './schema.ts';

/** A pull request with all that is asked of the host for it. */
export interface PullFacts {
  readonly name: PullName;
  readonly pull: Pull;
  /** The commit that its ref is at. */
  readonly head: string;
  /** The number of that head among those that it has had: see `heads.ts`. */
  readonly patchset: number;
  /** By the host's clock, when something was last done to it before it was seen to have that head. */
  readonly since: number;
  readonly files: readonly string[] | null;
  readonly reviews: readonly Review[];
  /** What happened to it, as far as it has labels or reviews. */
  readonly timeline: readonly Happening[];
}

/** Characters of a description that are carried on; `Depends-On:` is read from all of it. */
const longestMessage = 64 * 1024;
/** Changes that one may name. */
const mostNeeds = 100;

export function toChange(site: Site, facts: PullFacts): Change {
  const { name, pull, head, patchset, files } = facts;
  const id = changeId(site.connection, name);
  const status = pull.merged ? 'merged' : pull.state === 'open' ? 'open' : 'abandoned';
  const message = messageOf(pull);
  return {
    id,
    key: `${id},${patchset}`,
    kind: 'change',
    connection: site.connection,
    project: name.project,
    branch: pull.base.ref,
    ref: pullRef(name.number),
    patchset,
    newrev: (pull.merged ? pull.merge_commit_sha : null) ?? head,
    files,
    message: message.slice(0, longestMessage).toWellFormed(),
    subject: subjectOf(pull.title),
    owner: pull.user?.login ?? '',
    url: pull.html_url,
    parents: [],
    dependsOn: dependencies(site, message),
    status,
    current: true,
    wip: pull.draft,
    // Whether it fits is found by merging it: the host's own answer comes late, and is about another moment.
    mergeable: status === 'open' && !pull.draft,
    votes: approvalVotes(facts),
    ...labelsOf(facts),
  };
}

function messageOf({ title, body }: Pull): string {
  const text = body.replaceAll('\r\n', '\n');
  return text === '' ? title : `${title}\n\n${text}`;
}

/** Names of this host's changes become ids, others stay as they are written: whose they are, their hosts know. */
function dependencies(site: Site, message: string): string[] {
  const names = readDependsOn(message).map((name) => {
    const pull = parsePullName(name, site);
    return pull === null ? name.slice(0, 500) : changeId(site.connection, pull);
  });
  return [...new Set(names)].slice(0, mostNeeds);
}

/**
 * The last word of everybody whose word counts: the host says whose does (`official`). It was given on the head as it
 * is now, and has not been taken back.
 */
export function approvals(reviews: readonly Review[], head: string): Vote[] {
  const last = new Map<string, Vote>();
  for (const review of reviews) {
    const value = verdicts.get(review.state);
    const by = review.user?.login;
    if (value === undefined || by === undefined || !review.official) continue;
    last.delete(by);
    if (review.dismissed || review.commit_id !== head) continue;
    const email = review.user?.email;
    const time = review.submitted_at ?? 0;
    last.set(by, { label: 'approved', value, by, ...(email ? { email } : {}), time });
  }
  return [...last.values()];
}

/** When it was last made to go to another branch: it brings commits there that nobody has seen who approved it before. */
function retargetedAt(timeline: readonly Happening[]): number {
  return Math.max(0, ...timeline.flatMap(({ type, created_at: at }) => (type === 'change_target_branch' ? at : [])));
}

function approvalVotes({ reviews, head, timeline }: PullFacts): Vote[] {
  const since = retargetedAt(timeline);
  return approvals(reviews, head).filter(({ value, time }) => value < 0 || since === 0 || time > since);
}

const verdicts: ReadonlyMap<string, number> = new Map([
  ['APPROVED', 1],
  ['REQUEST_CHANGES', -1],
]);

function labelsOf({ pull, timeline, since }: PullFacts): Pick<Change, 'labels' | 'currentLabels'> {
  const labels = pull.labels.map(({ name }) => name);
  const given = timeline.flatMap(({ type, label, body, created_at: time }) =>
    type === 'label' && label && body === putOn ? [{ name: label.name, time }] : [],
  );
  return { labels, currentLabels: currentLabels(labels, given, Math.max(since, retargetedAt(timeline))) };
}

/** The text of putting a label on; one that was taken off has another. */
const putOn = '1';

/** Where and of whom an event is. */
export interface EventPlace {
  readonly site: Site;
  readonly name: PullName;
  readonly pull: Pull;
  /** Sluice's account there. */
  readonly self: string;
}

/** What all events of a pull request have. */
export function eventBase({ site, name, pull }: EventPlace): Omit<TriggerEvent, 'time'> {
  return {
    type: 'gitea_pull_request',
    driver: 'gitea',
    connection: site.connection,
    project: name.project,
    branch: pull.base.ref,
    ref: pullRef(name.number),
    change: changeId(site.connection, name),
  };
}

type Said = Pick<TriggerEvent, 'action'> & Partial<TriggerEvent>;

/**
 * One entry of the timeline as triggers see it; null for what nobody waits for. What Sluice itself has said is of the
 * type `report`, which no trigger names.
 */
export function toEvent(place: EventPlace, happening: Happening, reviews: readonly Review[]): TriggerEvent | null {
  const said = actionOf(happening, reviews);
  if (said === null) return null;
  const { user, created_at: time } = happening;
  const account = user ? { account: { username: user.login, ...(user.email ? { email: user.email } : {}) } } : {};
  const { action = '', ...rest } = said;
  if (!isOwn(place, happening) || ownDeeds.includes(action)) {
    return { ...eventBase(place), action, ...rest, ...account, time };
  }
  const own = happening.type === 'comment' ? saidIn(happening.body, { time, written: happening.updated_at }) : { time };
  return { ...eventBase(place), type: 'report', ...rest, ...account, ...own };
}

/** Names an entry of the timeline: a comment of Sluice's is another one when it is written anew. */
export function keyOf(place: Pick<EventPlace, 'self'>, happening: Happening): string {
  return `${happening.type}:${happening.id}${isOwn(place, happening) ? reportKey(happening.body) : ''}`;
}

function isOwn({ self }: Pick<EventPlace, 'self'>, { user }: Happening): boolean {
  return user?.login === self;
}

/** What Sluice does there is no report: a merge is a merge whoever merges. */
const ownDeeds: readonly string[] = ['merged', 'closed', 'reopened'];

function actionOf(happening: Happening, reviews: readonly Review[]): Said | null {
  const { type, label, body } = happening;
  const names = label ? [label.name] : [];
  switch (type) {
    case 'comment':
      return { action: 'comment', comment: withoutMark(body) };
    case 'review':
      return reviewed(happening, reviews);
    case 'dismiss_review':
      return { action: 'unapproved', approvals: [{ label: 'approved', value: 0 }] };
    case 'label':
      return body === putOn ? { action: 'labeled', labels: names } : { action: 'unlabeled', unlabels: names };
    case 'change_title':
    case 'change_target_branch':
      return { action: 'edited' };
    default:
      return deeds.get(type) ?? null;
  }
}

const deeds: ReadonlyMap<string, Said> = new Map([
  ['close', { action: 'closed' }],
  ['reopen', { action: 'reopened' }],
  ['merge_pull', { action: 'merged' }],
]);

function reviewed({ review_id, body }: Happening, reviews: readonly Review[]): Said {
  const review = reviews.find(({ id }) => id === review_id);
  const comment = withoutMark(body);
  const said = comment === '' ? {} : { comment };
  const value = review?.official ? verdicts.get(review.state) : undefined;
  if (value === undefined) return { action: 'comment', comment };
  const approvals = [{ label: 'approved', value }];
  return { action: value > 0 ? 'approved' : 'unapproved', approvals, ...said };
}
