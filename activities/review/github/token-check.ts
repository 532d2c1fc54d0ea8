import { mapAtOnce } from '../../process/at-once.ts';
import { some } from '../doctor.ts';
import { HostRefusal } from '../http.ts';
import type { Place } from './pulls.ts';
import { branchSchema, type Hook, hookSchema, type Repository } from './schema.ts';

/** What GitHub says of an App in one answer is asked of each repository where a token is used. */

type Repositories = readonly Repository[];

/** So many repositories are asked about at once: GitHub declines a hundred. */
const atOnce = 8;

/** Whether the account may merge, as far as it is shown. @throws an error with what to do */
export async function checkTokenRights({ client }: Place, repositories: Repositories): Promise<string> {
  const lacking = repositories.filter(({ permissions }) => permissions?.push !== true).map(nameOf);
  if (lacking.length > 0)
    throw new Error(`the token's account cannot write to ${some(lacking)}: give it the role Write`);
  const route = 'GET /repos/{owner}/{repo}/branches/{branch}';
  const branches = await mapAtOnce(repositories, atOnce, ({ full_name: project, default_branch: branch }) =>
    client.read({ project, route, with: { branch } }, branchSchema),
  );
  const open = repositories.filter((_, index) => branches[index]?.protected === false).map(nameOf);
  // Administrators may always push, whomever the protection names.
  const isHidden = ({ permissions }: Repository, index: number) =>
    branches[index]?.protected === true && permissions?.admin !== true;
  const hidden = some(repositories.filter(isHidden).map(nameOf));
  const free = open.length === 0 ? '' : `; no rule protects the default branch of ${some(open)}`;
  const unseen = `; only an administrator sees the protection of ${hidden}: if it names who may push, add the account`;
  return `may write to ${repositories.length} repositories${free}${hidden === '' ? '' : unseen}`;
}

/**
 * Whether each repository posts what Sluice waits for, itself or by its organization, as far as that is shown.
 *
 * @param wanted the end of the address, and names of events
 * @throws an error with what to do
 */
export async function checkTokenHooks(
  place: Place,
  repositories: Repositories,
  wanted: { readonly path: string; readonly events: readonly string[] },
): Promise<string> {
  const isRight = ({ active, events, config }: Hook) =>
    active &&
    config.url?.endsWith(wanted.path) === true &&
    config.content_type === 'json' &&
    // Never shown, but whether there is one.
    Boolean(config.secret) &&
    (events.includes('*') || wanted.events.every((event) => events.includes(event)));
  const organizations = organizationReader(place);
  const found = await mapAtOnce(repositories, atOnce, async (repository) => {
    const own = await ownHooks(place, repository);
    if (own?.some(isRight)) return 'there';
    const shared = await organizations(repository);
    if (shared?.some(isRight)) return 'there';
    return own === null ? 'hidden' : shared === null ? 'shared' : 'lacking';
  });
  const those = (kind: string) => some(repositories.filter((_, index) => found[index] === kind).map(nameOf));
  const where = `…${wanted.path} of application/json`;
  if (found.includes('lacking')) {
    const what = `with the connection's secret and ${wanted.events.join(', ')}`;
    throw new Error(`add an active webhook to ${where} ${what} in ${those('lacking')}`);
  }
  const unseen: string[] = [];
  if (found.includes('hidden')) unseen.push(`only an administrator sees the webhooks of ${those('hidden')}`);
  if (found.includes('shared')) {
    unseen.push(`none is right in ${those('shared')}, and those of its organization are not shown to this token`);
  }
  return unseen.length > 0 ? `${unseen.join('; ')}: look for ${where}` : 'each repository posts its events';
}

/** Null where they are not shown to us. */
function ownHooks({ client }: Place, { full_name: project }: Repository): Promise<readonly Hook[] | null> {
  return client.list({ project, route: 'GET /repos/{owner}/{repo}/hooks' }, hookSchema).catch(unlessRefused);
}

/** The same for what the organization of a repository posts: each is asked once. */
function organizationReader({ client }: Place): (repository: Repository) => Promise<readonly Hook[] | null> {
  const known = new Map<string, Promise<readonly Hook[] | null>>();
  const read = async (name: string) =>
    client
      .listAs(await client.tokens.forUs(), `GET /orgs/${encodeURIComponent(name)}/hooks`, hookSchema)
      .catch(unlessRefused);
  return async ({ full_name: project, owner }) => {
    if (owner?.type === 'User') return [];
    const [name = ''] = project.split('/');
    const hooks = known.get(name) ?? read(name);
    known.set(name, hooks);
    return hooks;
  };
}

function unlessRefused(error: unknown): null {
  if (error instanceof HostRefusal && [401, 403, 404].includes(error.status)) return null;
  throw error;
}

function nameOf({ full_name: name }: Repository): string {
  return name;
}
