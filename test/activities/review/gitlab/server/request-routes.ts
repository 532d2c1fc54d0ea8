import { mergePull, testMerge } from '../../github/server/merging.ts';
import { git, tip } from '../../github/server/state.ts';
import { seePushed } from './git-http.ts';
import { type Answered, type Context, failed, listed, made, ok, type Route } from './routes.ts';
import {
  addNote,
  approve,
  headOf,
  now,
  type ProjectState,
  type RequestState,
  setLabel,
  setState,
  unapprove,
} from './state.ts';
import { approvalsView, basicView, noteView, personOf, requestView, statusOf } from './views.ts';

const place = '/projects/{project}/merge_requests';
const one = `${place}/{iid}`;

export const requestRoutes: Readonly<Record<string, Route>> = {
  [`GET ${place}`]: ({ world, project, query }) => {
    const wanted = query.get('state');
    const found = project.requests.filter(({ state }) => wanted === null || state === wanted);
    return listed(found.map((each) => basicView(world, project, each)));
  },
  [`GET ${one}`]: async ({ world, project, request }) => {
    seePushed(world, request);
    const view = requestView(world, project, request);
    // The question makes the host look; the next one is told what it found.
    await look(project, request);
    return ok(view);
  },
  [`PUT ${one}`]: ({ world, project, request, body }) => {
    const names = (value: unknown) =>
      String(value ?? '')
        .split(',')
        .filter(Boolean);
    for (const name of names(body.remove_labels)) setLabel(world, request, { name, by: world.login, on: false });
    for (const name of names(body.add_labels)) setLabel(world, request, { name, by: world.login, on: true });
    return ok(requestView(world, project, request));
  },
  [`PUT ${one}/merge`]: merge,
  [`GET ${one}/versions`]: ({ request }) =>
    listed(
      request.versions
        .map(({ id, head, time }) => ({ id, head_commit_sha: head, created_at: time, state: 'collected' }))
        .toReversed(),
    ),
  [`GET ${one}/diffs`]: async ({ project, request }) => {
    const base = await git(project, 'merge-base', `refs/heads/${request.base}`, headOf(request)).catch(() => '');
    const names = base === '' ? '' : await git(project, 'diff', '-z', '--name-only', base, headOf(request));
    const files = names.split('\0').filter(Boolean);
    return listed(files.map((path) => ({ old_path: path, new_path: path, diff: '', new_file: false })));
  },
  [`GET ${one}/approvals`]: ({ world, project, request }) => ok(approvalsView(world, project, request)),
  [`POST ${one}/approve`]: ({ world, project, request, body }) => {
    if (request.approvedBy.includes(world.login)) return failed(401, '401 Unauthorized');
    if (body.sha !== headOf(request)) return failed(409, 'SHA does not match HEAD of source branch');
    approve(world, request, world.login);
    return made(approvalsView(world, project, request));
  },
  [`POST ${one}/unapprove`]: ({ world, project, request }) =>
    unapprove(world, request, world.login)
      ? made(approvalsView(world, project, request))
      : failed(404, '404 Not found'),
  [`GET ${one}/reviewers`]: ({ request }) =>
    listed(request.changesWantedBy.map((name) => ({ user: personOf(name), state: 'requested_changes' }))),
  [`GET ${one}/notes`]: ({ request, query }) =>
    listed((query.get('sort') === 'asc' ? request.notes : request.notes.toReversed()).map(noteView)),
  [`POST ${one}/notes`]: ({ world, request, body }) => {
    const text = withoutCommands(world.commands, String(body.body));
    return made(noteView(addNote(world, request, { author: world.login, body: text })));
  },
  [`PUT ${one}/notes/{note}`]: ({ world, request, body, asked }) => {
    const note = request.notes.find(({ id }) => String(id) === asked.given.note);
    if (note === undefined) return failed(404, '404 Note Not Found');
    note.body = withoutCommands(world.commands, String(body.body));
    note.updated = now(world);
    return ok(noteView(note));
  },
  [`GET ${one}/resource_label_events`]: ({ request }) =>
    listed(
      request.labelEvents.map(({ id, user, time, label, action }) => ({
        ...{ id, action, user: personOf(user), created_at: time, resource_type: 'MergeRequest' },
        label: { id: 1, name: label },
      })),
    ),
  [`GET ${one}/resource_state_events`]: ({ request }) =>
    listed(
      request.stateEvents.map(({ id, user, time, state }) => ({
        ...{ id, state, user: personOf(user), created_at: time, resource_type: 'MergeRequest' },
      })),
    ),
};

/** Quick actions: lines that begin with a slash are done, and not shown. */
function withoutCommands(commands: string[], text: string): string {
  const lines = text.split('\n');
  commands.push(...lines.filter((line) => /^\s*\/\w/.test(line)));
  return lines.filter((line) => !/^\s*\/\w/.test(line)).join('\n');
}

function mergeable(request: RequestState) {
  return { number: request.iid, title: request.title, base: request.base, head: headOf(request) };
}

async function look(project: ProjectState, request: RequestState): Promise<void> {
  if (request.state !== 'opened' || headOf(request) === '') return;
  const onto = await tip(project, request.base).catch(() => null);
  const at = `${onto} ${headOf(request)}`;
  if (request.looked?.at === at) return;
  request.looked = {
    at,
    fits: !project.anxious && onto !== null && (await testMerge(project, mergeable(request))) !== null,
  };
}

async function merge({ world, project, request, body }: Context): Promise<Answered> {
  await world.beforeMerge?.();
  if (!project.mayMerge) return failed(401, '401 Unauthorized');
  if (request.state !== 'opened' || request.draft) return failed(405, '405 Method Not Allowed');
  if (body.sha !== undefined && body.sha !== headOf(request)) {
    return failed(409, `SHA does not match HEAD of source branch: ${headOf(request)}`);
  }
  request.looked = null;
  await look(project, request);
  if (statusOf(project, request) !== 'mergeable') return failed(422, 'Branch cannot be merged');
  const onto = await tip(project, request.base);
  const squash = body.squash === true || (body.squash === undefined && project.squash === 'always');
  const ahead = await git(project, 'merge-base', '--is-ancestor', onto, headOf(request)).then(
    () => true,
    () => false,
  );
  if (project.method !== 'merge' && !ahead) return failed(422, 'Branch cannot be merged');
  await land(project, request, squash);
  setState(world, request, { by: world.login, state: 'merged' });
  return ok(requestView(world, project, request));
}

async function land(project: ProjectState, request: RequestState, squash: boolean): Promise<void> {
  const way = mergeable(request);
  if (squash) {
    request.squashCommit = await mergePull(project, way, 'squash');
    return;
  }
  if (project.method === 'ff') {
    await git(project, 'update-ref', `refs/heads/${request.base}`, headOf(request));
    return;
  }
  request.mergeCommit = await mergePull(project, way, 'merge');
}
