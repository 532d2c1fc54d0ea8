import type { Change, Permission, Vote } from '../model/change.ts';
import type { ConnectionRule, Pipeline } from '../model/pipeline.ts';
import { listOf, matchesSomewhere, matchesWhole } from './pattern.ts';

/** Whether a change may enter, and if not, why. */
export type Met = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const met: Met = { ok: true };

/**
 * Whether a change meets a pipeline's `require` and none of its `reject`. Rules of other connections than the
 * change's own do not count.
 *
 * @param now milliseconds since the epoch: votes may have to be newer or older than a while.
 */
export function requirementsMet(pipeline: Pick<Pipeline, 'require' | 'reject'>, change: Change, now: number): Met {
  for (const rule of pipeline.require) {
    const reason = concerns(rule, change) ? unmet(rule.body, change, now) : undefined;
    if (reason !== undefined) return { ok: false, reason };
  }
  for (const rule of pipeline.reject) {
    const reason = concerns(rule, change) ? rejected(rule.body, change, now) : undefined;
    if (reason !== undefined) return { ok: false, reason };
  }
  return met;
}

type Body = ConnectionRule['body'];

function concerns(rule: ConnectionRule, change: Change): boolean {
  return rule.connection === change.connection;
}

/** What a change is, under the names that configurations ask by. */
const properties: Readonly<Record<string, (change: Change) => boolean>> = {
  open: (change) => change.status === 'open',
  merged: (change) => change.status === 'merged',
  'current-patchset': (change) => change.current,
  wip: (change) => change.wip,
  draft: (change) => change.wip,
  approved: (change) => change.votes.some(({ label, value }) => label === 'approved' && value === 1),
};

/** What a change is that is not open. */
function instead(name: string, { status }: Change): string {
  return name === 'open' && status !== 'open' ? `: it ${status === 'merged' ? 'has merged' : 'was abandoned'}` : '';
}

/** The first of the rule's conditions that the change does not meet. */
export function unmet(body: Body, change: Change, now: number): string | undefined {
  const who = `${change.id} of ${change.project}`;
  for (const [name, holds] of Object.entries(properties)) {
    const wanted = body[name];
    if (typeof wanted !== 'boolean') continue;
    if (change.kind !== 'change') return `${change.ref} is no change`;
    if (holds(change) !== wanted) return `${who} is ${wanted ? 'not ' : ''}${name}${instead(name, change)}`;
  }
  const statuses = listOf(body.status);
  if (statuses.length > 0 && !statuses.some((status) => hasStatus(change, status))) {
    return `${who} has not the status ${statuses.join(' or ')}`;
  }
  const hashtag = listOf(body.hashtags).find((one) => !hasHashtag(change, one));
  if (hashtag !== undefined) return `${who} has no hashtag ${JSON.stringify(hashtag)}`;
  const label = labelsAsked(body).find((one) => !hasLabel(change, one));
  if (label !== undefined) return `${who} has no label ${labelDescribed(label)}`;
  for (const wanted of votesAsked(body)) {
    if (change.kind !== 'change') return `${change.ref} is no change`;
    if (!change.votes.some((vote) => voteMatches(wanted, vote, now))) return `${who} has no vote ${described(wanted)}`;
  }
  return undefined;
}

/** The first of the rule's conditions that the change meets, though it should not. */
export function rejected(body: Body, change: Change, now: number): string | undefined {
  const who = `${change.id} of ${change.project}`;
  for (const [name, holds] of Object.entries(properties)) {
    const unwanted = body[name];
    if (typeof unwanted !== 'boolean') continue;
    if (change.kind !== 'change') return `${change.ref} is no change`;
    if (holds(change) === unwanted) return `${who} is ${unwanted ? '' : 'not '}${name}`;
  }
  const status = listOf(body.status).find((one) => hasStatus(change, one));
  if (status !== undefined) return `${who} has the status ${status}`;
  const hashtag = listOf(body.hashtags).find((one) => hasHashtag(change, one));
  if (hashtag !== undefined) return `${who} has the hashtag ${JSON.stringify(hashtag)}`;
  const label = labelsAsked(body).find((one) => hasLabel(change, one));
  if (label !== undefined) return `${who} has the label ${labelDescribed(label)}`;
  const votes = votesAsked(body);
  if (votes.length > 0 && change.kind !== 'change') return `${change.ref} is no change`;
  const vote = votes.find((asked) => change.votes.some((one) => voteMatches(asked, one, now)));
  return vote && `${who} has the vote ${described(vote)}`;
}

/** Gerrit's words for a change's state, next to our own. */
const statusNames: Readonly<Record<Change['status'], string>> = {
  open: 'NEW',
  merged: 'MERGED',
  abandoned: 'ABANDONED',
};

/** Of the change itself, or one that a check has given it (`WHO:NAME:RESULT`, as a pattern). */
export function hasStatus(change: Change, status: unknown): boolean {
  if (status === statusNames[change.status] || status === change.status) return true;
  return (change.statuses ?? []).some((one) => one === status || matchesWhole(status, one));
}

function hasHashtag(change: Change, pattern: unknown): boolean {
  return (change.hashtags ?? []).some((one) => matchesSomewhere(pattern, one));
}

interface AskedLabel {
  readonly name: string;
  /** Whether it must have been given to the current patch set. */
  readonly current: boolean;
}

/** Labels are words that anybody may choose, and never votes: no name of one makes it an approval. */
function labelsAsked(body: Body): readonly AskedLabel[] {
  const named = (key: string, current: boolean) => listOf(body[key]).map((name) => ({ name: String(name), current }));
  return [...named('label', false), ...named('labels', false), ...named('current-labels', true)];
}

/** Where labels are votes, the vote 1 is having one; those vanish with their patch set as the host says. */
function hasLabel({ labels, currentLabels, votes }: Change, { name, current }: AskedLabel): boolean {
  if (labels === undefined) return votes.some(({ label, value }) => label === name && value === 1);
  return (current ? (currentLabels ?? []) : labels).includes(name);
}

function labelDescribed({ name, current }: AskedLabel): string {
  return `${JSON.stringify(name)}${current ? ' that was given to its current patch set' : ''}`;
}

type AskedVote = Readonly<Record<string, unknown>>;

/** Votes, as each kind of review system's configuration names them. */
function votesAsked(body: Body): readonly AskedVote[] {
  const approvals = listOf(body.approval) as readonly AskedVote[];
  const reviews = listOf(body.review).map((review) => reviewAsVote(review as AskedVote));
  const score = typeof body.score === 'number' ? [{ score: body.score }] : [];
  return [...approvals, ...reviews, ...score];
}

/** GitHub's words for what a review says, as votes; no vote is of another kind. */
const reviewValues: Readonly<Record<string, number>> = {
  approved: 1,
  comment: 0,
  changes_requested: -1,
  request_changes: -1,
};

function reviewAsVote({ type, ...who }: AskedVote): AskedVote {
  return type === undefined ? who : { ...who, review: listOf(type).map((one) => reviewValues[String(one)]) };
}

/** Whether a vote is one that was asked for: every condition must hold. */
function voteMatches(asked: AskedVote, vote: Vote, now: number): boolean {
  return Object.entries(asked).every(([name, value]) => {
    switch (name) {
      case 'username':
        return matchesSomewhere(value, vote.by);
      case 'permission':
        return vote.permission === undefined ? value === 'read' : permits(vote.permission, value);
      case 'email':
        return matchesSomewhere(value, vote.email ?? '');
      case 'newer-than':
        return vote.time >= now - milliseconds(value);
      case 'older-than':
        return vote.time < now - milliseconds(value);
      default:
        return vote.label === name && listOf(value).some((one) => valueMatches(one, vote.value));
    }
  });
}

/** A value, or `>=N` or `<=N`. */
function valueMatches(wanted: unknown, value: number): boolean {
  const [, sign, bound] = /^([<>])=(-?\d+)$/.exec(String(wanted)) ?? [];
  if (sign === undefined) return Number(wanted) === value;
  return sign === '>' ? value >= Number(bound) : value <= Number(bound);
}

const ranks: readonly unknown[] = ['read', 'write', 'admin'] satisfies readonly Permission[];

/** Whether somebody who may do `has` may do `wanted`. */
export function permits(has: Permission, wanted: unknown): boolean {
  return ranks.includes(wanted) && ranks.indexOf(has) >= ranks.indexOf(wanted);
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A duration such as `3d`; a bare number is seconds. */
function milliseconds(value: unknown): number {
  const text = String(value);
  return Number.parseFloat(text) * (units[text.at(-1) ?? ''] ?? 1_000);
}

function described(asked: AskedVote): string {
  return Object.entries(asked)
    .map(([name, value]) => `${name} ${listOf(value).join('/')}`)
    .join(', ');
}
