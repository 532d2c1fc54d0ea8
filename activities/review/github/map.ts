import type { Change, Vote } from '../../../pipelines/model/change.ts';
import { currentLabels, type Labelled, lastHeadSince, type Noticed } from '../journal.ts';
import { pullId } from './names.ts';
import type { ChangedFile, CheckRun, ListedPull, Pull, Review, Status, TimelineItem } from './schema.ts';

/**
 * GitHub's pull requests as Sluice sees them.
 *
 * GitHub does not number the heads that a pull request has had, and forgets those that were pushed over. So Sluice
 * numbers them itself, in its journal: a head that is not the last one known is the next patch set, also where it was
 * one before. The number stays over restarts, for the journal does.
 */

/** A review with what its author may do in the repository. */
interface JudgedReview extends Review {
  readonly permission: NonNullable<Vote['permission']>;
}

export interface PullFacts {
  readonly connection: string;
  readonly project: string;
  readonly patchset: number;
  readonly pull: Pull;
  /** Null when there are more than GitHub tells. */
  readonly files: readonly ChangedFile[] | null;
  readonly reviews: readonly JudgedReview[];
  readonly statuses: readonly Status[];
  readonly checks: readonly CheckRun[];
  readonly dependsOn: readonly string[];
  /** What happened to it, as far as it has labels or reviews. */
  readonly timeline: readonly TimelineItem[];
  readonly journal: readonly Noticed[];
}

/** Characters of a text that is kept; GitHub's own limit of a description is 65,536. */
const mostText = 70_000;

/** A text that somebody wrote, whatever it is: bounded, and storable anywhere. */
export function textOf(text: string | null | undefined): string {
  return (text ?? '').slice(0, mostText).toWellFormed().replaceAll('\0', '\uFFFD');
}

export function toChange(facts: PullFacts): Change {
  const { connection, project, pull, patchset } = facts;
  const id = pullId(connection, project, pull.number);
  const subject = textOf(pull.title).split('\n', 1)[0]?.trim() ?? '';
  const status = statusOf(pull);
  return {
    id,
    key: `${id},${patchset}`,
    kind: 'change',
    connection,
    project,
    branch: pull.base.ref,
    ref: pullRef(pull.number),
    patchset,
    // An open one's head, whatever is pushed to its ref in the meantime.
    newrev: status === 'merged' ? (pull.merge_commit_sha ?? pull.head.sha) : pull.head.sha,
    files:
      facts.files?.flatMap(({ filename, previous_filename: old }) =>
        old === undefined ? [filename] : [old, filename],
      ) ?? null,
    message: textOf(`${subject}\n\n${(pull.body ?? '').replaceAll('\r\n', '\n')}`),
    subject,
    owner: pull.user?.login ?? 'ghost',
    url: pull.html_url,
    parents: [],
    dependsOn: facts.dependsOn,
    status,
    current: true,
    wip: pull.draft === true,
    mergeable: status === 'open' && pull.draft !== true && pull.mergeable !== false,
    votes: reviewVotes(facts),
    ...labelsOf(facts),
    statuses: [...statusNames(facts.statuses), ...checkNames(facts.checks)],
  };
}

/** Where a pull request's head is in the repository that it goes to, wherever it was pushed. */
export function pullRef(number: number): string {
  return `refs/pull/${number}/head`;
}

export function statusOf({ state, merged_at }: Pick<ListedPull, 'state' | 'merged_at'>): Change['status'] {
  if (merged_at) return 'merged';
  return state === 'open' ? 'open' : 'abandoned';
}

export const reviewValues: Readonly<Record<string, number>> = { approved: 1, changes_requested: -1 };

/**
 * The last opinion of each reviewer; a comment is none, and a dismissal takes it back. An approval is of the head that
 * was seen; what was refused stays so until its reviewer says otherwise.
 */
export function lastReviews<T extends Review>(reviews: readonly T[], head: string): readonly T[] {
  const last = new Map<string, T>();
  for (const review of reviews) {
    const state = review.state.toLowerCase();
    const login = review.user?.login ?? 'ghost';
    if (state === 'dismissed') last.delete(login);
    if (reviewValues[state] !== undefined) last.set(login, review);
  }
  return [...last.values()].filter(({ state, commit_id }) => state.toLowerCase() !== 'approved' || commit_id === head);
}

/** Remarks of those who have no opinion: votes of nothing, which rules may ask for all the same. */
function lastRemarks<T extends Review>(reviews: readonly T[], head: string): readonly T[] {
  const decided = new Set(lastReviews(reviews, head).map(({ user }) => user?.login));
  const remarks = reviews.filter(({ state, commit_id: commit, user }) => {
    return state.toLowerCase() === 'commented' && commit === head && !decided.has(user?.login);
  });
  return [...new Map(remarks.map((remark) => [remark.user?.login, remark])).values()];
}

/** When it was last made to go to another branch: it brings commits there that nobody has seen who approved it before. */
function retargetedAt(timeline: readonly TimelineItem[]): number {
  const changes = timeline.filter(({ event }) => event === 'base_ref_changed');
  return Math.max(0, ...changes.flatMap(({ created_at: at }) => (at ? timeOf(at) : [])));
}

function reviewVotes({ pull, reviews, timeline }: PullFacts): Vote[] {
  const { sha } = pull.head;
  const since = retargetedAt(timeline);
  const isOld = ({ state, submitted_at: at }: Review) =>
    since > 0 && state.toLowerCase() === 'approved' && !(timeOf(at ?? '') > since);
  return [...lastReviews(reviews, sha).filter((review) => !isOld(review)), ...lastRemarks(reviews, sha)].map(
    ({ user, state, submitted_at, permission }) => ({
      label: 'review',
      value: reviewValues[state.toLowerCase()] ?? 0,
      by: user?.login ?? 'ghost',
      permission,
      time: timeOf(submitted_at ?? pull.updated_at),
    }),
  );
}

function labelsOf({ pull, timeline, journal }: PullFacts): Pick<Change, 'labels' | 'currentLabels'> {
  const labels = pull.labels.map(({ name }) => textOf(name));
  const since = Math.max(lastHeadSince(journal), retargetedAt(timeline));
  return { labels, currentLabels: currentLabels(labels, labelledIn(timeline), since) };
}

/** The labels that were put on a pull request, in order. */
function labelledIn(timeline: readonly TimelineItem[]): readonly Labelled[] {
  return timeline.flatMap(({ event, label, created_at: at }) =>
    event === 'labeled' && label && at ? [{ name: textOf(label.name), time: timeOf(at) }] : [],
  );
}

/** `USER:CONTEXT:STATE`, the last of each context. */
function statusNames(statuses: readonly Status[]): string[] {
  return lastStatuses(statuses).map(
    ({ creator, context, state }) => `${creator?.login ?? ''}:${textOf(context)}:${state}`,
  );
}

/** The last of each context; GitHub lists the newest first. */
export function lastStatuses(statuses: readonly Status[]): readonly Status[] {
  return [...new Map([...statuses].reverse().map((status) => [status.context, status])).values()];
}

/** `APP:NAME:CONCLUSION` of those that have ended. */
function checkNames(checks: readonly CheckRun[]): string[] {
  return checks.flatMap(({ app, name, conclusion }) =>
    conclusion ? [`${app?.slug ?? ''}:${textOf(name)}:${conclusion}`] : [],
  );
}

export function timeOf(text: string): number {
  return Date.parse(text);
}
