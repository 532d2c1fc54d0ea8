import type { GitRemote } from '../../git/remote.ts';
import type { ConnectionCheck } from '../connection.ts';
import { checkClock, checkFetch, checkHookSecret, line, lineOf, some } from '../doctor.ts';
import type { ApprovalSettings, ReadSecret, SecretReference } from '../settings.ts';
import { type Desk, readRepositories } from './read.ts';
import { branchesSchema, hooksSchema, labelsSchema, type Repository, userSchema, versionSchema } from './schema.ts';

export interface CheckSettings {
  readonly desk: Desk;
  readonly remote: (project: string) => GitRemote;
  readonly webhookSecret: SecretReference | undefined;
  readonly readSecret: ReadSecret;
  readonly approve: ApprovalSettings | undefined;
}

/** Asks the live host whether all is as Sluice needs it: each line says what to do where it is not. */
export async function checkConnection(settings: CheckSettings): Promise<readonly ConnectionCheck[]> {
  const login = await line('login', () => checkLogin(settings));
  if (!login.ok) return [login];
  const repositories = await readRepositories(settings.desk);
  const about = { ...settings, repositories };
  return [
    login,
    await line('events', () => checkHookSecret(settings.desk.site.connection, settings)),
    await lineOf('git', repositories, () => checkFetch(settings.remote, names(repositories))),
    await lineOf('labels', repositories, () => checkLabels(about)),
    await lineOf('rights', repositories, () => checkRights(about)),
    await lineOf('webhook', repositories, () => checkHooks(about)),
    await line('clock', () => checkClock(settings.desk.client)),
  ];
}

interface About extends CheckSettings {
  readonly repositories: readonly Repository[];
}

async function checkLogin({ desk }: CheckSettings): Promise<string> {
  const { version } = await desk.client.get('/version', versionSchema);
  const { login } = await desk.client.get('/user', userSchema);
  return `${login} at ${desk.site.url}, version ${version}`;
}

async function checkLabels({ desk, repositories, approve }: About): Promise<string> {
  if (approve === undefined) return 'no label is asked for';
  const lacking: string[] = [];
  for (const { full_name: project } of repositories) {
    const [owner = ''] = project.split('/');
    const places = [`/repos/${project}/labels`, `/orgs/${owner}/labels`];
    const lists = await Promise.all(places.map((path) => desk.client.list(path, { schema: labelsSchema })));
    if (!lists.flat().some(({ name }) => name === approve.label)) lacking.push(project);
  }
  if (lacking.length > 0) throw new Error(`make the label ${approve.label} in ${some(lacking)}, or for the owner`);
  return `${approve.label} is there`;
}

async function checkRights({ desk, repositories }: About): Promise<string> {
  const lacking = repositories.filter(({ permissions, archived }) => !permissions.push && !archived);
  if (lacking.length > 0) {
    throw new Error(`Sluice's account cannot write to ${some(names(lacking))}: make it a collaborator with Write`);
  }
  const open: string[] = [];
  for (const { full_name: project } of repositories) {
    const branches = await desk.client.list(`/repos/${project}/branches`, { schema: branchesSchema, most: 1 });
    const shut = branches.filter((each) => each.protected && !each.user_can_merge).map(({ name }) => name);
    if (shut.length > 0) {
      throw new Error(`let Sluice's account merge into ${shut.join(', ')} of ${project}: it is not on the list there`);
    }
    if (branches.length > 0 && !branches.some((each) => each.protected)) open.push(project);
  }
  const free = open.length === 0 ? '' : `; no branch is protected in ${some(open)}: anybody who can write goes past it`;
  const exact = repositories.filter(({ allow_manual_merge: allowed }) => allowed).length;
  return `may merge; pushes the tested commit itself in ${exact} of ${repositories.length} projects${free}`;
}

async function checkHooks({ desk, repositories }: About): Promise<string> {
  const wanted = `/api/connection/${desk.site.connection}/payload`;
  const [lacking, unknown]: [string[], string[]] = [[], []];
  for (const { full_name: project, permissions } of repositories) {
    if (!permissions.admin) unknown.push(project);
    else if (!(await hasHook(desk, project, wanted))) lacking.push(project);
  }
  if (lacking.length > 0) {
    throw new Error(
      `add an active webhook of JSON to …${wanted} with all events in ${some(lacking)}, or for the owner`,
    );
  }
  if (unknown.length > 0) return `only an administrator sees the webhooks of ${some(unknown)}: look for …${wanted}`;
  return 'each project posts its events';
}

/** Those that something waits for, each by any of its names: what was made over the API has reviews by another one. */
const wantedEvents = [
  ['pull_request'],
  ['pull_request_sync'],
  ['pull_request_label'],
  ['pull_request_comment'],
  ['pull_request_review_approved', 'pull_request_review'],
  ['pull_request_review_rejected', 'pull_request_review'],
  ['push'],
  ['delete'],
  ['status'],
];

async function hasHook({ client }: Desk, project: string, wanted: string): Promise<boolean> {
  const [owner = ''] = project.split('/');
  const own = await client.list(`/repos/${project}/hooks`, { schema: hooksSchema });
  const shared = await client.list(`/orgs/${owner}/hooks`, { schema: hooksSchema }).catch(() => []);
  return [...own, ...shared].some(
    ({ active, events, config }) =>
      active &&
      config.url.endsWith(wanted) &&
      config.content_type === 'json' &&
      wantedEvents.every((names) => names.some((name) => events.includes(name))),
  );
}

function names(repositories: readonly Repository[]): string[] {
  return repositories.map(({ full_name }) => full_name);
}
