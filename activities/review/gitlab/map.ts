import type { Change, TriggerEvent, Vote } from '../../../pipelines/model/change.ts';
import { readDependsOn, subjectOf } from '../footers.ts';
import { currentLabels } from '../journal.ts';
import { changeId, parseRequestName, type RequestName, requestRef, type Site } from './names.ts';
import type { Approvals, LabelEvent, MergeRequest, Note, Reviewer, Status, Version } from './schema.ts';

/** A merge request with all that is asked of the host for it. */
export interface RequestFacts {
  readonly name: RequestName;
  readonly request: MergeRequest;
  /** Heads that it has had, the first one first. */
  readonly heads: readonly Head[];
  readonly files: readonly string[] | null;
  readonly approvals: Approvals;
  readonly reviewers: readonly Reviewer[];
  /** Looked at where the host does not say when somebody approved. */
  readonly notes: readonly Note[];
  /** What was done with labels, in order, as far as it has any. */
  readonly labelEvents: readonly LabelEvent[];
}

export interface Head {
  readonly commit: string;
  readonly time: number;
  /** When it was compared last: with another branch, it brings commits that whoever approved it before has not seen. */
  readonly compared: number;
}

/**
 * The heads of a merge request, in order: the host keeps a version for each push, and one for each other reason to
 * compare it anew. A head that comes back is a new patch set.
 */
export function headsOf(versions: readonly Version[]): readonly Head[] {
  const heads: Head[] = [];
  for (const { head_commit_sha: commit, created_at: time } of versions.toSorted((a, b) => a.id - b.id)) {
    const last = heads.at(-1);
    if (last !== undefined && commit === last.commit) heads[heads.length - 1] = { ...last, compared: time };
    else if (commit) heads.push({ commit, time, compared: time });
  }
  return heads;
}

/** The one that it has. */
export function headOf({ heads }: Pick<RequestFacts, 'heads'>): string {
  return heads.at(-1)?.commit ?? '';
}

/** Characters of a description that are carried on; `Depends-On:` is read from all of it. */
const longestMessage = 64 * 1024;
/** Changes that one may name. */
const mostNeeds = 100;

export function toChange(site: Site, facts: RequestFacts): Change {
  const { name, request, heads, files } = facts;
  const id = changeId(site.connection, name);
  // A request is locked while it is being merged.
  const status = request.state === 'merged' ? 'merged' : request.state === 'closed' ? 'abandoned' : 'open';
  const message = messageOf(request);
  return {
    id,
    key: `${id},${heads.length}`,
    kind: 'change',
    connection: site.connection,
    project: name.project,
    branch: request.target_branch,
    ref: requestRef(name.number),
    patchset: heads.length,
    newrev: (status === 'merged' ? landedAs(request) : null) ?? headOf(facts),
    files,
    message: message.slice(0, longestMessage).toWellFormed(),
    subject: subjectOf(request.title),
    owner: request.author?.username ?? '',
    url: request.web_url,
    parents: [],
    dependsOn: dependencies(site, message),
    status,
    current: true,
    wip: request.draft,
    // Whether it fits is found by merging it: the host's own answer comes late, and is about another moment.
    mergeable: status === 'open' && !request.draft,
    votes: approvalVotes(facts),
    ...labelsOf(facts),
  };
}

/** The commit as which it was merged: of its own, squashed, or its head. */
export function landedAs(request: MergeRequest): string | null {
  return request.merge_commit_sha ?? request.squash_commit_sha ?? request.sha ?? null;
}

function messageOf({ title, description }: MergeRequest): string {
  const text = description.replaceAll('\r\n', '\n');
  return text === '' ? title : `${title}\n\n${text}`;
}

/** Names of this host's changes become ids, others stay as they are written: whose they are, their hosts know. */
function dependencies(site: Site, message: string): string[] {
  const names = readDependsOn(message).map((name) => {
    const request = parseRequestName(name, site);
    return request === null ? name.slice(0, 500) : changeId(site.connection, request);
  });
  return [...new Set(names)].slice(0, mostNeeds);
}

/**
 * Who approves it, and who asks for changes. An approval counts for the head that it was given to, and the branch that this
 * went to: not every GitLab takes it back at the next push. A request for changes holds until its reviewer withdraws it.
 */
export function approvalVotes({
  approvals,
  reviewers,
  heads,
  notes,
}: Omit<RequestFacts, 'name' | 'files' | 'labelEvents'>): Vote[] {
  const since = heads.at(-1)?.compared ?? 0;
  const given = approvals.approved_by.flatMap(({ user: { username: by }, approved_at: at }): Vote[] => {
    const time = at ?? approvedBy(notes, by);
    return time >= since ? [{ label: 'approved', value: 1, by, time }] : [];
  });
  const against = reviewers
    .filter(({ state }) => state === 'requested_changes')
    .map(({ user: { username: by } }): Vote => ({ label: 'approved', value: -1, by, time: since }));
  return [...given.filter(({ by }) => !against.some((each) => each.by === by)), ...against];
}

function approvedBy(notes: readonly Note[], by: string): number {
  const own = notes.filter(({ system, author, body }) => system && author?.username === by && body === saysApproved);
  return Math.max(0, ...own.map(({ created_at: time }) => time));
}

/** What GitLab notes of itself, always in English. */
const saysApproved = 'approved this merge request';

function labelsOf({ request: { labels }, heads, labelEvents }: RequestFacts): Pick<Change, 'labels' | 'currentLabels'> {
  const given = labelEvents.flatMap(({ action, label, created_at: time }) =>
    action === 'add' && label ? [{ name: label.name, time }] : [],
  );
  return { labels, currentLabels: currentLabels(labels, given, heads.at(-1)?.compared ?? Number.POSITIVE_INFINITY) };
}

/** What all events of a merge request have. */
export function eventBase(
  site: Site,
  { name, request }: Pick<RequestFacts, 'name' | 'request'>,
): Omit<TriggerEvent, 'time'> {
  return {
    type: 'gl_merge_request',
    driver: 'gitlab',
    connection: site.connection,
    project: name.project,
    branch: request.target_branch,
    ref: requestRef(name.number),
    change: changeId(site.connection, name),
  };
}

export type Said = Pick<TriggerEvent, 'action' | 'comment' | 'approvals' | 'labels' | 'unlabels'>;

/** Begins of what GitLab notes of a merge request, as far as somebody waits for it. */
const noted: readonly (readonly [begin: RegExp, said: Said])[] = [
  [/^approved this merge request/, { action: 'approved', approvals: [{ label: 'approved', value: 1 }] }],
  [/^unapproved this merge request/, { action: 'unapproved', approvals: [{ label: 'approved', value: 0 }] }],
  [/^requested changes/, { action: 'unapproved', approvals: [{ label: 'approved', value: -1 }] }],
  [/^changed (title|the description|target branch)/, { action: 'edited' }],
  [/^marked this merge request as/, { action: 'edited' }],
  [/^resolved all (threads|discussions)/, { action: 'edited' }],
];

/** What a note of the host itself says; null for what nobody waits for. */
export function readSystemNote(body: string): Said | null {
  return noted.find(([begin]) => begin.test(body))?.[1] ?? null;
}

/** Whether a status stands in no merge's way. */
export function isGood({ status, allow_failure: may }: Pick<Status, 'status' | 'allow_failure'>): boolean {
  return may || ['success', 'skipped', 'manual'].includes(status);
}
