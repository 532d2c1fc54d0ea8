import { git } from '../../github/server/state.ts';
import type { Asked, Json } from './description.ts';
import { requestRoutes } from './request-routes.ts';
import { nextId, type ProjectState, type RequestState, type World } from './state.ts';
import { latestOf, personOf, projectView, statusView } from './views.ts';

export interface Answered {
  readonly status: number;
  readonly body?: unknown;
  /** What is sent in pages. */
  readonly list?: readonly unknown[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Context {
  readonly world: World;
  readonly asked: Asked;
  readonly query: URLSearchParams;
  readonly body: Json;
  /** Those that the path names. */
  readonly project: ProjectState;
  readonly request: RequestState;
}

export type Route = (context: Context) => Answered | Promise<Answered>;

export const ok = (body: unknown): Answered => ({ status: 200, body });
export const made = (body: unknown): Answered => ({ status: 201, body });
export const listed = (list: readonly unknown[]): Answered => ({ status: 200, list });
export const failed = (status: number, message: unknown): Answered => ({ status, body: { message } });

const place = '/projects/{project}';

export const routes: Readonly<Record<string, Route>> = {
  'GET /version': () => ok({ version: '18.5.0', revision: 'abc' }),
  'GET /user': ({ world }) => ok({ ...personOf(world.login), email: 'sluice@example.org' }),
  'GET /personal_access_tokens/self': ({ world }) =>
    ok({ id: 1, name: 'sluice', scopes: world.scopes, active: true, expires_at: '2027-01-31' }),
  'GET /projects': ({ world, query }) => {
    if (query.get('membership') !== 'true') world.problems.push('all projects of a host were asked for');
    return listed(world.projects.map((each) => projectView(world, each)));
  },
  [`GET ${place}`]: ({ world, project }) => ok(projectView(world, project)),
  [`GET ${place}/repository/branches`]: async ({ project }) => listed(await branchesOf(project)),
  [`GET ${place}/repository/branches/{branch}`]: async ({ project, asked }) => {
    const found = (await branchesOf(project)).find(({ name }) => name === asked.given.branch);
    return found === undefined ? failed(404, '404 Branch Not Found') : ok(found);
  },
  [`GET ${place}/repository/tags`]: async ({ project }) => {
    const lines = await git(
      project,
      'for-each-ref',
      '--format=%(refname:short) %(objectname) %(*objectname)',
      'refs/tags',
    );
    const tags = lines.split('\n').filter(Boolean);
    return listed(
      tags.map((line) => {
        const [name = '', target = '', commit = ''] = line.split(' ');
        return { name, target, commit: { id: commit || target }, message: '' };
      }),
    );
  },
  [`GET ${place}/labels`]: ({ project }) => listed(project.labels.map((name) => ({ id: nextId(), name }))),
  [`GET ${place}/hooks`]: ({ project }) => (project.level < 40 ? failed(403, '403 Forbidden') : listed(project.hooks)),
  'GET /groups/{group}/hooks': () => failed(403, '403 Forbidden'),
  [`GET ${place}/repository/commits/{sha}/statuses`]: ({ project, asked }) =>
    listed(latestOf(project, asked.given.sha ?? '').map(statusView)),
  [`POST ${place}/statuses/{sha}`]: setStatus,
  ...requestRoutes,
};

async function branchesOf(project: ProjectState) {
  const lines = await git(project, 'for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/heads');
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', id = ''] = line.split(' ');
      const rights = { can_push: project.mayPush, developers_can_push: false, developers_can_merge: false };
      return { name, commit: { id }, protected: name === 'master', default: name === 'master', ...rights };
    });
}

/** As GitLab's states follow each other: nothing becomes what it is, and what has ended begins anew. */
function setStatus({ world, project, asked, body }: Context): Answered {
  const { state, name, ref } = body as Record<string, string>;
  const sha = asked.given.sha ?? '';
  // The head of a fork is on no branch of this project.
  if (ref === undefined) return failed(404, '404 References for commit Not Found');
  const before = latestOf(project, sha).find((each) => each.name === name)?.status;
  const event: Record<string, string> = { pending: 'enqueue', running: 'run' };
  if (before === state && state !== undefined && Object.hasOwn(event, state)) {
    const why = `Status cannot transition via "${event[state]}"`;
    return failed(400, `Cannot transition status via :${event[state]} from :${before} (Reason(s): ${why})`);
  }
  const status = {
    ...{ id: nextId(), sha, name: name ?? 'default', ref, status: state ?? '', author: world.login },
    targetUrl: (body.target_url as string | undefined) ?? null,
    description: (body.description as string | undefined) ?? null,
    allowFailure: false,
  };
  project.statuses.push(status);
  return made(statusView(status));
}
