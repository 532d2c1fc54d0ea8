import type { Asked, Json } from './description.ts';
import { fill } from './description.ts';
import { pullRoutes } from './pull-routes.ts';
import { git, nextId, now, type RepositoryState, type World } from './state.ts';
import { account, appOf, commitOf, repositoryOf, runOf, statusOf } from './views.ts';

/** A request that is let in. */
export interface Context {
  readonly world: World;
  readonly asked: Asked;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** Who asks: a login, or null for the App itself. */
  readonly login: string | null;
  readonly repository: RepositoryState;
}

export interface Answered {
  readonly status: number;
  readonly body?: unknown;
  /** A list, of which a page is answered, under a name where it has one. */
  readonly list?: readonly unknown[];
  readonly under?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (context: Context) => Promise<Answered> | Answered;

export const ok = (body: unknown): Answered => ({ status: 200, body });
export const listed = (list: readonly unknown[], under?: string): Answered => ({
  status: 200,
  list,
  ...(under === undefined ? {} : { under }),
});
export const failed = (status: number, message: string): Answered => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
});

const repo = '/repos/{owner}/{repo}';

const ownRoutes: Readonly<Record<string, Handler>> = {
  'GET /app': ({ world }) => ok(appOf(world)),
  'GET /app/hook/config': ({ world }) => ok(world.hook),
  'GET /app/installations': ({ world }) => listed([{ ...installationOf(world), account: ownerOf() }]),
  'POST /app/installations/{installation_id}/access_tokens': ({ world }) => {
    const end = Date.now() + world.skew + 3_600_000;
    return { status: 201, body: { token: `ghs_${world.appId}_${end}`, expires_at: new Date(end).toISOString() } };
  },
  'GET /installation/repositories': ({ world }) =>
    listed(
      world.repositories.map((one) => repositoryOf('repository', one)),
      'repositories',
    ),
  'GET /orgs/{org}/hooks': ({ world }) => hooksOf('org-hook', world.orgHooks),
  'GET /user': ({ world, login }) => ({
    ...ok(fill('public-user', { ...account(login ?? ''), login })),
    headers: { 'x-oauth-scopes': 'repo, read:org', 'x-sluice-test': world.slug },
  }),
  'GET /user/repos': ({ world }) => listed(world.repositories.map((one) => repositoryOf('repository', one))),
};

const repositoryRoutes: Readonly<Record<string, Handler>> = {
  [`GET ${repo}`]: ({ repository }) => ok(repositoryOf('full-repository', repository)),
  [`GET ${repo}/installation`]: ({ world }) => ok(installationOf(world)),
  [`GET ${repo}/hooks`]: ({ repository }) => hooksOf('hook', repository.hooks),
  [`GET ${repo}/labels`]: ({ repository }) => listed(repository.labels.map((name) => fill('label', { name }))),
  [`GET ${repo}/branches`]: async ({ repository }) => {
    const refs = await heads(repository, 'refs/heads');
    return listed(refs.map(([name, sha]) => ({ name, commit: { sha, url: '' }, protected: name === 'master' })));
  },
  [`GET ${repo}/branches/{branch}`]: readBranch,
  [`GET ${repo}/branches/{branch}/protection`]: ({ repository, login }) =>
    login?.endsWith('[bot]')
      ? failed(403, 'Resource not accessible by integration')
      : ok({
          required_pull_request_reviews: fill('protected-branch-pull-request-review', {
            required_approving_review_count: repository.requiredApprovals,
          }),
          required_linear_history: { enabled: repository.linear },
        }),
  [`GET ${repo}/rules/branches/{branch}`]: ({ repository }) => listed(repository.rules),
  [`GET ${repo}/tags`]: async ({ repository }) => {
    const refs = await heads(repository, 'refs/tags');
    return listed(refs.map(([name, sha]) => fill('tag', { name, commit: { sha, url: '' } })));
  },
  [`GET ${repo}/git/commits/{commit_sha}`]: async ({ repository, asked }) => {
    const commit = await commitOf(repository, asked.given.commit_sha ?? '');
    return commit === null ? failed(404, 'Not Found') : ok(commit);
  },
  [`GET ${repo}/commits/{ref}/statuses`]: ({ repository, asked }) => {
    const own = repository.statuses.filter(({ sha }) => sha === asked.given.ref);
    return listed(own.toReversed().map(statusOf));
  },
  [`POST ${repo}/statuses/{sha}`]: ({ world, repository, asked, login, body }) => {
    const status = { sha: asked.given.sha ?? '', by: login ?? '', time: now(world), given: body };
    repository.statuses.push(status);
    return { status: 201, body: statusOf(status) };
  },
  [`GET ${repo}/commits/{ref}/check-runs`]: ({ world, repository, asked, query }) => {
    const name = query.get('check_name');
    const own = repository.runs.filter(
      ({ given }) => given.head_sha === asked.given.ref && (name === null || given.name === name),
    );
    const latest = new Map(own.map((run) => [run.given.name, run]));
    return listed(
      [...latest.values()].map((run) => runOf(world, run)),
      'check_runs',
    );
  },
  [`POST ${repo}/check-runs`]: ({ world, repository, login, body }) => {
    if (!login?.endsWith('[bot]')) return failed(403, 'You must authenticate via a GitHub App.');
    const run = { id: nextId(), given: { ...body }, annotations: [], batches: [] };
    repository.runs.push(run);
    return annotate(world, run, body, 201);
  },
  [`PATCH ${repo}/check-runs/{check_run_id}`]: ({ world, repository, asked, body }) => {
    const run = repository.runs.find(({ id }) => String(id) === asked.given.check_run_id);
    if (run === undefined) return failed(404, 'Not Found');
    Object.assign(run.given, body);
    return annotate(world, run, body, 200);
  },
  [`GET ${repo}/collaborators/{username}/permission`]: ({ repository, asked }) => {
    const permission = repository.permissions[asked.given.username ?? ''] ?? 'read';
    return ok({ permission, role_name: permission, user: null });
  },
};

/** Of a repository or an organization; null: who asks may not see them. */
function hooksOf(schema: string, hooks: readonly Json[] | null): Answered {
  return hooks === null ? failed(404, 'Not Found') : listed(hooks.map((hook) => fill(schema, hook)));
}

function annotate(world: World, run: RepositoryState['runs'][number], body: Json, status: number): Answered {
  const annotations = ((body.output ?? {}) as { annotations?: Json[] }).annotations ?? [];
  if (annotations.length > 50) return failed(422, 'Invalid request.\n\nNo more than 50 items are allowed.');
  run.annotations.push(...annotations);
  run.batches.push(annotations.length);
  return { status, body: runOf(world, run) };
}

async function readBranch({ world, repository, asked }: Context): Promise<Answered> {
  const name = asked.given.branch ?? '';
  const found = (await heads(repository, 'refs/heads')).find(([branch]) => branch === name);
  if (found === undefined) return failed(404, 'Branch not found');
  const contexts = repository.requiredChecks;
  return ok(
    fill('branch-with-protection', {
      name,
      commit: fill('commit', { sha: found[1], node_id: world.slug }),
      protected: name === 'master',
      protection: fill('branch-protection', {
        enabled: true,
        required_status_checks: { enforcement_level: 'everyone', contexts, checks: [] },
      }),
    }),
  );
}

async function heads(repository: RepositoryState, below: string): Promise<readonly (readonly [string, string])[]> {
  const format = '%(refname) %(objectname) %(*objectname)';
  const lines = await git(repository, 'for-each-ref', `--format=${format}`, below);
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [ref = '', own = '', peeled] = line.split(' ');
      return [ref.slice(below.length + 1), peeled || own] as const;
    });
}

/** In the list the description wants an account to be a user and an enterprise. */
function ownerOf(): Json {
  return { ...fill('enterprise', { name: 'Acme', slug: 'acme' }), ...account('acme') };
}

function installationOf(world: World): Json {
  return fill('installation', {
    id: 77,
    app_id: world.appId,
    app_slug: world.slug,
    account: account('acme'),
    permissions: { contents: 'write' },
    events: world.events,
    target_type: 'Organization',
  });
}

export const routes: Readonly<Record<string, Handler>> = { ...ownRoutes, ...repositoryRoutes, ...pullRoutes };
