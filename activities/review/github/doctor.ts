import type { ConnectionCheck } from '../connection.ts';
import type { Place } from './pulls.ts';
import { accountSchema, appSchema, hookConfigSchema, labelSchema, type Repository } from './schema.ts';
import { checkTokenHooks, checkTokenRights } from './token-check.ts';
import { differenceOf } from './tokens.ts';

/** What an App must be allowed to do, and hear. */
const needed: Readonly<Record<string, 'read' | 'write'>> = {
  checks: 'write',
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
};
const events = [
  ...['check_run', 'issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_thread'],
  ...['push', 'repository', 'status'],
];

/** Milliseconds that GitHub's clock and ours may differ. */
const mostSkew = 60_000;

type Line = Omit<ConnectionCheck, 'name'>;

type Repositories = Promise<readonly Repository[]>;

/**
 * Asks GitHub whether all is as Sluice needs it. What cannot be asked is said of the line that needs it.
 *
 * @param readRepositories all that are seen there; those of other connections, or of none, are left alone
 */
export async function checkConnection(
  place: Place,
  readRepositories: () => Repositories,
  tryGit: (project: string) => Promise<void>,
): Promise<readonly ConnectionCheck[]> {
  const repositories = readRepositories().then((found) =>
    found.filter(({ full_name: name, archived }) => archived !== true && place.owns(name)),
  );
  const lines: readonly (readonly [ConnectionCheck['name'], () => Promise<Line>])[] = [
    ['login', () => checkLogin(place)],
    ['events', () => checkEvents(place)],
    ['git', () => checkGit(repositories, tryGit)],
    ['labels', () => checkLabels(place, repositories)],
    ['rights', () => checkRights(place, repositories)],
    ['webhook', () => checkHook(place, repositories)],
    ['clock', () => checkClock(place)],
  ];
  // All at once: of a host that is away each would wait for as long as the client has patience.
  return Promise.all(
    lines.map(async ([name, check]) => {
      const line = await check().catch((error: unknown) => bad(error instanceof Error ? error.message : String(error)));
      return { name, ...line };
    }),
  );
}

const good = (message: string): Line => ({ ok: true, message });
const bad = (message: string): Line => ({ ok: false, message });

async function checkLogin({ client, url }: Place): Promise<Line> {
  return good(`we are ${await client.self()} at ${url}`);
}

async function checkEvents({ client, settings }: Place): Promise<Line> {
  if (settings.app === undefined) {
    return good(`the webhook of each repository, or of its organization, must send: ${events.join(', ')}`);
  }
  const { data } = await client.ask('GET /app', appSchema);
  // GitHub sends these to every App that has checks, whether it asks for them or not.
  const missing = events.filter((event) => !data.events.includes(event) && !event.startsWith('check_'));
  if (missing.length === 0) return good('the App is told of all that Sluice waits for');
  return bad(`the App is not told of ${missing.join(', ')}: subscribe to them in its settings`);
}

async function checkGit(repositories: Repositories, tryGit: (project: string) => Promise<void>) {
  const [{ full_name: project } = {}] = await repositories;
  if (project === undefined)
    return bad('there is no repository of this connection that we may read: install the App, or grant the token some');
  await tryGit(project);
  return good(`${project} can be fetched`);
}

async function checkLabels({ client, settings }: Place, repositories: Repositories): Promise<Line> {
  const label = settings.approve?.label;
  if (label === undefined) return good('no label is needed: approvals are reviews');
  const route = 'GET /repos/{owner}/{repo}/labels';
  for (const { full_name: project } of await repositories) {
    const labels = (await client.list({ project, route }, labelSchema)) ?? [];
    if (!labels.some(({ name }) => name.toLowerCase() === label.toLowerCase())) {
      return bad(`${project} has no label ${JSON.stringify(label)}: make it there`);
    }
  }
  return good(`every repository has the label ${JSON.stringify(label)}`);
}

async function checkRights(place: Place, repositories: Repositories): Promise<Line> {
  const { client, settings } = place;
  if (settings.app === undefined) {
    const scopes = checkScopes(await client.ask('GET /user', accountSchema));
    if (!scopes.ok) return scopes;
    return good(`${scopes.message}; ${await checkTokenRights(place, await repositories)}`);
  }
  const { data } = await client.ask('GET /app', appSchema);
  const missing = Object.entries(needed).filter(
    ([name, wanted]) => data.permissions[name] !== 'write' && data.permissions[name] !== wanted,
  );
  if (missing.length === 0) return good('the App has all permissions that Sluice needs');
  const list = missing.map(([name, wanted]) => `${name}: ${wanted}`).join(', ');
  return bad(`the App lacks ${list}: grant them in its settings, and let each owner accept`);
}

/** Classic tokens name their scopes in every answer, others do not. */
function checkScopes({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): Line {
  const scopes = headers['x-oauth-scopes'];
  if (typeof scopes !== 'string' || scopes === '') {
    return good('a fine-grained token: give it contents, pull requests, issues and commit statuses to write');
  }
  const has = scopes.split(/,\s*/);
  return has.includes('repo') ? good('the token has the scope repo') : bad('the token lacks the scope repo');
}

async function checkHook(place: Place, repositories: Repositories): Promise<Line> {
  const { client, settings, connection } = place;
  if (settings.webhookSecret === undefined) return bad('give the connection a webhookSecret, and GitHub the same');
  const path = `/api/connection/${connection}/payload`;
  if (settings.app === undefined) {
    return good(await checkTokenHooks(place, await repositories, { path, events }));
  }
  const { data } = await client.ask('GET /app/hook/config', hookConfigSchema);
  if (!data.url?.endsWith(path)) return bad(`the App posts to ${data.url || 'nowhere'}: set SERVER${path}`);
  if (data.content_type !== 'json') return bad('the App posts forms: set its content type to application/json');
  if (!data.secret) return bad('the App signs nothing: set its webhook secret to that of the connection');
  return good(`the App posts to ${data.url}`);
}

async function checkClock({ client, settings }: Place): Promise<Line> {
  const ask = settings.app === undefined ? 'GET /user' : 'GET /app';
  const { headers } = await client.ask(ask, accountSchema.partial());
  const skew = Date.now() - Date.parse(String(headers.date));
  if (Number.isNaN(skew)) return bad('GitHub does not say what time it is');
  const difference = `our clock is ${differenceOf(skew)} GitHub's`;
  return Math.abs(skew) <= mostSkew ? good(difference) : bad(`${difference}: set it by NTP`);
}
