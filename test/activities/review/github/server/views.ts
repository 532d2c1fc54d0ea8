import { fill, type Json } from './description.ts';
import { mergeKey, testMerge } from './merging.ts';
import {
  type Comment,
  git,
  type PullState,
  type RepositoryState,
  type Review,
  type RunState,
  type StatusState,
  tip,
  type World,
} from './state.ts';

/** What the server keeps as GitHub tells it; what nobody reads has no meaning. */

export function account(login: string): Json {
  const type = login.endsWith('[bot]') ? 'Bot' : login === 'acme' ? 'Organization' : 'User';
  return fill('simple-user', { login, type, id: login.length });
}

export function repositoryOf(schema: string, repository: RepositoryState): Json {
  const [owner = '', name = ''] = repository.fullName.split('/');
  const { merge, squash, rebase } = repository.methods;
  return fill(schema, {
    name,
    full_name: repository.fullName,
    owner: account(owner),
    archived: repository.archived,
    default_branch: 'master',
    permissions: { admin: repository.mayAdminister, pull: true, push: repository.mayWrite },
    allow_merge_commit: merge,
    allow_squash_merge: squash,
    allow_rebase_merge: rebase,
  });
}

function label(name: string): Json {
  return fill('label', { name, color: 'ff0000', description: '' });
}

/** As lists have it. */
export async function listedPull(world: World, repository: RepositoryState, pull: PullState): Promise<Json> {
  return fill('pull-request-simple', await pullFields({ world, repository, pull }, pull.test?.commit ?? null));
}

/** As it is when it is asked for alone: that also makes GitHub compute whether it can be merged, for the next time. */
export async function wholePull(world: World, repository: RepositoryState, pull: PullState): Promise<Json> {
  const key = pull.state === 'open' ? await mergeKey(repository, pull) : '';
  const known = pull.test?.of === key ? pull.test : null;
  if (known === null && pull.state === 'open' && world.computes)
    pull.test = { of: key, commit: await testMerge(repository, pull) };
  const mergeable = known === null ? null : known.commit !== null;
  const files = await changedFiles(repository, pull);
  return fill('pull-request', {
    ...(await pullFields({ world, repository, pull }, known?.commit ?? null)),
    merged: pull.merged !== null,
    merged_by: pull.merged === null ? null : account(pull.merged.by),
    mergeable,
    mergeable_state: mergeable === null ? 'unknown' : mergeableState(repository, pull, mergeable),
    changed_files: files.length,
  });
}

function mergeableState(repository: RepositoryState, pull: PullState, mergeable: boolean): string {
  if (!mergeable) return 'dirty';
  if (pull.draft) return 'draft';
  return missingChecks(repository, pull).length > 0 || missingApprovals(repository, pull) > 0 ? 'blocked' : 'clean';
}

/** Required checks that have not passed. */
export function missingChecks(repository: RepositoryState, pull: PullState): readonly string[] {
  const ruled = repository.rules.flatMap(
    ({ parameters }) =>
      (parameters as { required_status_checks?: { context: string }[] })?.required_status_checks ?? [],
  );
  const statuses = repository.statuses.filter(({ sha }) => sha === pull.head);
  const runs = repository.runs.filter(({ given }) => given.head_sha === pull.head);
  const results = new Map([
    ...statuses.map(({ given }) => [given.context, given.state] as const),
    ...runs.map(({ given }) => [given.name, given.conclusion] as const),
  ]);
  const required = [...repository.requiredChecks, ...ruled.map(({ context }) => context)];
  return required.filter((name) => results.get(name) !== 'success');
}

export function missingApprovals(repository: RepositoryState, pull: PullState): number {
  const approved = pull.reviews.filter(({ state }) => state === 'APPROVED');
  const count = new Set(approved.map(({ user }) => user).filter((user) => repository.permissions[user])).size;
  return Math.max(0, repository.requiredApprovals - count);
}

async function pullFields(
  {
    world,
    repository,
    pull,
  }: { readonly world: World; readonly repository: RepositoryState; readonly pull: PullState },
  testCommit: string | null,
): Promise<Json> {
  const repo = repositoryOf('repository', repository);
  const side = { repo, user: account(pull.user) };
  const fork = repositoryOf('repository', { ...repository, fullName: `${pull.user}/fork` });
  const url = `${world.url}/${repository.fullName}/pull/${pull.number}`;
  return {
    number: pull.number,
    id: pull.number,
    state: pull.state,
    title: pull.title,
    body: pull.body,
    draft: pull.draft,
    html_url: url,
    user: account(pull.user),
    author_association: 'CONTRIBUTOR',
    labels: pull.labels.map(label),
    created_at: pull.created,
    updated_at: pull.updated,
    closed_at: pull.state === 'closed' ? pull.updated : null,
    merged_at: pull.merged?.time ?? null,
    merge_commit_sha: pull.merged?.sha ?? testCommit,
    head: { label: `${pull.user}:topic`, ref: 'topic', sha: pull.head, ...side, repo: fork },
    base: { label: `acme:${pull.base}`, ref: pull.base, sha: await tip(repository, pull.base), ...side },
  };
}

/** Old name, if there is one, and name of each file. */
export async function changedFiles(repository: RepositoryState, pull: PullState): Promise<readonly Json[]> {
  const base = await git(
    repository,
    'merge-base',
    pull.merged ? `${pull.head}^` : await tip(repository, pull.base),
    pull.head,
  );
  const lines = await git(repository, 'diff-tree', '-r', '-M', '--name-status', base, pull.head);
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [kind = '', first = '', second] = line.split('\t');
      const status = { A: 'added', D: 'removed', R: 'renamed' }[kind[0] ?? ''] ?? 'modified';
      const names = second === undefined ? { filename: first } : { filename: second, previous_filename: first };
      return fill('diff-entry', { ...names, status });
    });
}

export function reviewOf(review: Review): Json {
  const { id, user, body, state, commit, time } = review;
  return fill('pull-request-review', {
    ...{ id, user: account(user), body, state, commit_id: commit, submitted_at: time },
    author_association: 'MEMBER',
  });
}

export function commentOf({ id, user, body, time, updated }: Comment): Json {
  const what = { id, user: account(user), body, created_at: time, updated_at: updated };
  return fill('issue-comment', { ...what, author_association: 'MEMBER' });
}

export function statusOf({ by, time, given }: StatusState): Json {
  const { state, context, description = null, target_url = null } = given;
  return fill('status', {
    ...{ state, context, description, target_url, created_at: time, updated_at: time },
    creator: account(by),
  });
}

export function runOf(world: World, { id, given, annotations }: RunState): Json {
  const output = (given.output ?? {}) as Json;
  return fill('check-run', {
    id,
    head_sha: given.head_sha,
    name: given.name,
    status: given.status ?? 'queued',
    conclusion: given.conclusion ?? null,
    external_id: given.external_id ?? null,
    details_url: given.details_url ?? null,
    app: appOf(world),
    output: {
      ...{ title: output.title ?? null, summary: output.summary ?? null, text: null },
      ...{ annotations_count: annotations.length, annotations_url: '' },
    },
  });
}

export function appOf({ appId, slug, permissions, events }: World): Json {
  return fill('integration', { id: appId, slug, name: 'Sluice Gate', permissions, events, owner: account('acme') });
}

export async function commitOf(repository: RepositoryState, sha: string): Promise<Json | null> {
  const text = await git(repository, 'show', '--no-patch', '--format=%H %T %P%n%B', sha).catch(() => null);
  if (text === null) return null;
  const [line = '', ...message] = text.split('\n');
  const [id = '', tree = '', ...parents] = line.split(' ');
  return fill('git-commit', {
    sha: id,
    tree: { sha: tree, url: '' },
    parents: parents.map((one) => ({ sha: one, url: '', html_url: '' })),
    message: message.join('\n'),
  });
}
