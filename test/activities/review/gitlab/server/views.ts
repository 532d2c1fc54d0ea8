import type { Json } from './description.ts';
import { headOf, type NoteState, type ProjectState, type RequestState, type StatusState, type World } from './state.ts';

/** How the server tells what it keeps. */

let people = 0;
const numbers = new Map<string, number>();

export function personOf(username: string): Json {
  const known = numbers.get(username) ?? ++people;
  numbers.set(username, known);
  return { id: known, username, name: username, state: 'active', avatar_url: '', web_url: `https://h/${username}` };
}

export function projectView(world: World, project: ProjectState): Json {
  const [path = ''] = project.name.split('/').slice(-1);
  return {
    ...{ id: project.id, name: path, path, path_with_namespace: project.name, archived: project.archived },
    ...{ web_url: `${world.url}/${project.name}`, default_branch: 'master', empty_repo: false },
    ...{ merge_method: project.method, squash_option: project.squash, merge_requests_access_level: 'enabled' },
    only_allow_merge_if_pipeline_succeeds: project.pipelineRequired,
    only_allow_merge_if_all_discussions_are_resolved: project.threadsRequired,
    permissions: {
      project_access: { access_level: project.level, notification_level: 3 },
      group_access: null,
    },
  };
}

/** As it is told in lists. */
export function basicView(world: World, project: ProjectState, request: RequestState): Json {
  const full = `${project.name}!${request.iid}`;
  return {
    ...{ id: request.iid + 70_000, iid: request.iid, project_id: project.id, title: request.title },
    ...{ description: request.description, state: request.state, draft: request.draft, labels: request.labels },
    ...{ author: personOf(request.author), created_at: request.created, updated_at: request.updated },
    ...{ source_branch: request.sourceBranch, target_branch: request.base, sha: headOf(request) || null },
    ...{ merge_commit_sha: request.mergeCommit, squash_commit_sha: request.squashCommit },
    ...{ web_url: `${world.url}/${project.name}/-/merge_requests/${request.iid}`, squash: false },
    references: { short: `!${request.iid}`, relative: `!${request.iid}`, full },
    has_conflicts: request.looked !== null && !request.looked.fits,
    blocking_discussions_resolved: request.openThreads === 0,
    detailed_merge_status: statusOf(project, request),
  };
}

/** As one is told that is asked for alone. */
export function requestView(world: World, project: ProjectState, request: RequestState): Json {
  const status = pipelineOf(project, request);
  return {
    ...basicView(world, project, request),
    changes_count: '1',
    user: { can_merge: project.mayMerge },
    head_pipeline: status === null ? null : { id: Number.parseInt(headOf(request).slice(0, 6), 16), status },
  };
}

/** One reason, the first that GitLab finds. */
export function statusOf(project: ProjectState, request: RequestState): string {
  if (request.state !== 'opened') return 'not_open';
  if (request.looked === null) return 'checking';
  if (request.draft) return 'draft_status';
  if (project.threadsRequired && request.openThreads > 0) return 'discussions_not_resolved';
  const pipeline = pipelineOf(project, request);
  if (project.pipelineRequired && pipeline !== 'success') {
    return pipeline === 'running' || pipeline === 'pending' ? 'ci_still_running' : 'ci_must_pass';
  }
  if (request.approvedBy.length < project.approvalsRequired) return 'not_approved';
  if (request.changesWantedBy.length > 0) return 'requested_changes';
  return request.looked.fits ? 'mergeable' : 'conflict';
}

/** What its statuses come to together; null without any. */
export function pipelineOf(project: ProjectState, request: RequestState): string | null {
  const statuses = latestOf(project, headOf(request)).filter(({ allowFailure }) => !allowFailure);
  const all = new Set(statuses.map(({ status }) => status));
  if (all.size === 0) return null;
  return ['failed', 'canceled', 'running', 'pending'].find((each) => all.has(each)) ?? 'success';
}

export function latestOf(project: ProjectState, sha: string): readonly StatusState[] {
  const on = project.statuses.filter((each) => each.sha === sha);
  return [...new Map(on.map((each) => [each.name, each])).values()];
}

export function statusView(status: StatusState): Json {
  const { id, sha, ref, name, status: state, targetUrl, description, author, allowFailure } = status;
  return {
    ...{ id, sha, ref, name, status: state, target_url: targetUrl, description, allow_failure: allowFailure },
    author: { id: personOf(author).id, username: author, name: author, state: 'active' },
  };
}

export function noteView({ id, author, body, system, time, updated }: NoteState): Json {
  const by = { ...personOf(author) };
  return { id, body, author: by, system, created_at: time, updated_at: updated, noteable_type: 'MergeRequest' };
}

export function approvalsView(world: World, project: ProjectState, request: RequestState): Json {
  const left = Math.max(0, project.approvalsRequired - request.approvedBy.length);
  return {
    ...{ iid: request.iid, project_id: project.id, approved: left === 0 },
    ...{ approvals_required: project.approvalsRequired, approvals_left: left },
    approved_by: request.approvedBy.map((name) => ({ user: personOf(name) })),
    user_has_approved: request.approvedBy.includes(world.login),
  };
}
