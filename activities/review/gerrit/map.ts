import type { Change, Vote } from '../../../pipelines/model/change.ts';
import { isSafeProject } from './safe.ts';
import { type GerritAccount, type GerritChange, type GerritRevision, longestText } from './schema.ts';

/** What the mapping needs of the connection. */
export interface Place {
  readonly connection: string;
  /** The web address. */
  readonly url: string;
}

/** What is known of a change besides its own record. */
export interface Around {
  /** Ids of the changes that its commit stands on. */
  readonly parents: readonly string[];
  /** Ids of the changes that its message names; names of unknown ones as written. */
  readonly dependsOn: readonly string[];
  /** Where the branch was when it was merged, and the commit that it was brought to. */
  readonly landed: { readonly oldrev: string; readonly newrev: string } | null;
}

const statuses = { NEW: 'open', MERGED: 'merged', ABANDONED: 'abandoned' } as const;

export function changeId(connection: string, number: number): string {
  return `${connection}:${number}`;
}

/** A change whose current patch set Gerrit has sent with its commit and files; null for one whose names are not safe. */
export function toChange(info: GerritChange, place: Place, { parents, dependsOn, landed }: Around): Change | null {
  const revision = currentOf(info);
  const { _number: number, project, branch, status } = info;
  if (revision === undefined || !isSafeProject(project, branch)) return null;
  const id = changeId(place.connection, number);
  const wip = info.work_in_progress ?? false;
  return {
    id,
    key: `${id},${revision._number}`,
    kind: 'change',
    connection: place.connection,
    project,
    branch,
    ref: patchsetRef(number, revision._number),
    patchset: revision._number,
    ...(landed ?? {}),
    files: filesOf(revision),
    message: messageOf(revision).slice(0, longestText).toWellFormed(),
    subject: info.subject,
    owner: nameOf(info.owner),
    ...(info.topic ? { topic: info.topic } : {}),
    ...(info.hashtags?.length ? { hashtags: info.hashtags } : {}),
    url: changeUrl(place, info),
    parents,
    dependsOn,
    status: statuses[status],
    current: true,
    wip,
    mergeable: status === 'NEW' && !wip,
    votes: votesOf(info),
  };
}

export function currentOf({ current_revision: current, revisions = {} }: GerritChange): GerritRevision | undefined {
  return current !== undefined && Object.hasOwn(revisions, current) ? revisions[current] : undefined;
}

/** The whole message of a patch set's commit, however long. */
export function messageOf({ commit }: GerritRevision): string {
  return commit?.message ?? '';
}

export function patchsetRef(number: number, patchset: number): string {
  return `refs/changes/${String(number % 100).padStart(2, '0')}/${number}/${patchset}`;
}

/** How Gerrit itself names a change's page. */
function changeUrl({ url }: Place, { project, _number: number }: GerritChange): string {
  return `${url}/c/${project.split('/').map(encodeURIComponent).join('/')}/+/${number}`;
}

/** What an account goes by: not every one has a user name. */
export function nameOf({ username, name, email, _account_id: id }: GerritAccount): string {
  return username ?? name ?? email ?? String(id ?? '');
}

/** Both names of a file that was renamed: it was touched by either. */
function filesOf({ files }: GerritRevision): readonly string[] | null {
  if (files === undefined) return null;
  const names = Object.entries(files).flatMap(([path, { old_path: old, status }]) =>
    old !== undefined && status === 'R' ? [old, path] : [path],
  );
  return [...new Set(names)].filter((path) => !path.startsWith('/')).sort();
}

function votesOf({ labels = {} }: GerritChange): Vote[] {
  return Object.entries(labels).flatMap(([label, { all = [] }]) =>
    all.flatMap((vote) => {
      if (!vote.value) return [];
      const email = vote.email === undefined ? {} : { email: vote.email };
      return [{ label, value: vote.value, by: nameOf(vote), ...email, time: vote.date ?? 0 }];
    }),
  );
}
