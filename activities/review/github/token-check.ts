import { some } from '../doctor.ts';
import { HostRefusal } from '../http.ts';
import type { Place } from './pulls.ts';
import {
  type BranchProtection,
  branchSchema,
  type Hook,
  hookSchema,
  protectionSchema,
  type Repository,
  repositorySchema,
} from './schema.ts';

/** What GitHub says of an App in one answer is asked of each repository where a token is used. */

type Repositories = readonly Repository[];

export async function readRepositories({ client }: Place, projects: readonly string[]): Promise<Repositories> {
  const found = projects.map((project) =>
    client.read({ project, route: 'GET /repos/{owner}/{repo}' }, repositorySchema),
  );
  return (await Promise.all(found)).filter(
    (repository) => repository !== null && repository.archived !== true,
  ) as Repositories;
}

/** Whether the account may merge, as far as it is shown. @throws an error with what to do */
export async function checkTokenRights(place: Place, repositories: Repositories): Promise<string> {
  const lacking = repositories.filter(({ permissions }) => permissions?.push !== true).map(nameOf);
  if (lacking.length > 0)
    throw new Error(`the token's account cannot write to ${some(lacking)}: give it the role Write`);
  const self = await place.client.self();
  const open: string[] = [];
  const hidden: string[] = [];
  for (const { full_name: project, default_branch: branch } of repositories) {
    const about = { project, with: { branch } };
    const found = await place.client.read(
      { ...about, route: 'GET /repos/{owner}/{repo}/branches/{branch}' },
      branchSchema,
    );
    if (found?.protected === false) open.push(project);
    if (found?.protected !== true) continue;
    const route = 'GET /repos/{owner}/{repo}/branches/{branch}/protection';
    const protection = await place.client.read({ ...about, route }, protectionSchema).catch(unlessRefused);
    if (protection === null) hidden.push(project);
    else if (shutsOut(protection, self)) {
      throw new Error(`the protection of ${branch} of ${project} names who may push, and not ${self}: add it there`);
    }
  }
  const free = open.length === 0 ? '' : `; no rule protects the default branch of ${some(open)}`;
  const unseen = hidden.length === 0 ? '' : `; only an administrator sees the protection of ${some(hidden)}`;
  return `may write to ${repositories.length} repositories${free}${unseen}`;
}

/** Teams may have it as a member. */
function shutsOut({ restrictions }: BranchProtection, self: string): boolean {
  if (restrictions == null || restrictions.teams.length > 0) return false;
  return !restrictions.users.some(({ login }) => login.toLowerCase() === self.toLowerCase());
}

/**
 * Whether each repository posts what Sluice waits for, itself or by its organization, as far as that is shown.
 *
 * @param wanted the end of the address, and names of events
 * @throws an error with what to do
 */
export async function checkTokenHooks(
  { client }: Place,
  repositories: Repositories,
  wanted: { readonly path: string; readonly events: readonly string[] },
): Promise<string> {
  const isRight = ({ active, events, config }: Hook) =>
    active &&
    config.url?.endsWith(wanted.path) === true &&
    config.content_type === 'json' &&
    (events.includes('*') || wanted.events.every((event) => events.includes(event)));
  const authorization = await client.tokens.forUs();
  const [lacking, unknown]: [string[], string[]] = [[], []];
  for (const { full_name: project, owner } of repositories) {
    const own = await client
      .list({ project, route: 'GET /repos/{owner}/{repo}/hooks' }, hookSchema)
      .catch(unlessRefused);
    if (own?.some(isRight)) continue;
    const route = `GET /orgs/${encodeURIComponent(project.split('/')[0] ?? '')}/hooks`;
    const shared =
      owner?.type === 'User' ? [] : await client.listAs(authorization, route, hookSchema).catch(unlessRefused);
    if (shared?.some(isRight)) continue;
    (own === null || shared === null ? unknown : lacking).push(project);
  }
  const where = `…${wanted.path} of application/json`;
  if (lacking.length > 0) {
    throw new Error(`add an active webhook to ${where} with ${wanted.events.join(', ')} in ${some(lacking)}`);
  }
  if (unknown.length > 0) return `only an administrator sees the webhooks of ${some(unknown)}: look for ${where}`;
  return 'each repository posts its events';
}

/** What is not shown to us. */
function unlessRefused(error: unknown): null {
  if (error instanceof HostRefusal && [401, 403, 404].includes(error.status)) return null;
  throw error;
}

function nameOf({ full_name: name }: Repository): string {
  return name;
}
