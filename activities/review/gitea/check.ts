import type { GitRemote } from '../../git/remote.ts';
import type { ConnectionCheck } from '../connection.ts';
import { checkClock, checkFetch, checkHookSecret, line, lineOf, some } from '../doctor.ts';
import type { ApprovalSettings, ReadSecret, SecretReference } from '../settings.ts';
import { type Desk, readRepositories } from './read.ts';
import {
  branchesSchema,
  type Hook,
  hooksSchema,
  labelsSchema,
  type Repository,
  userSchema,
  versionSchema,
} from './schema.ts';

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
  const { version } = await desk.client.get('/version', versionSchema);
  const isRight = ({ active, events, config }: Hook) =>
    active && config.url.endsWith(wanted) && config.content_type === 'json' && tellsAll(events, version);
  const [lacking, unknown]: [string[], string[]] = [[], []];
  for (const { full_name: project, permissions } of repositories) {
    if (!permissions.admin) unknown.push(project);
    else if (!(await readHooks(desk, project)).some(isRight)) lacking.push(project);
  }
  if (lacking.length > 0) {
    throw new Error(
      `add an active webhook of JSON to …${wanted} with all events in ${some(lacking)}, or for the owner`,
    );
  }
  if (unknown.length > 0) return `only an administrator sees the webhooks of ${some(unknown)}: look for …${wanted}`;
  const rest = "; this host tells of no statuses: others' are found by looking, within ten minutes";
  return `each project posts its events${tellsOfStatuses(version) ? '' : rest}`;
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
];

/** Gitea does since 1.24; Forgejo, which names after its own version the Gitea that it is like, does not. */
function tellsOfStatuses(version: string): boolean {
  // One that is built by hand calls itself "development".
  const [, minor = '24'] = /^1\.(\d+)/.exec(version) ?? [];
  return !version.includes('+gitea-') && Number(minor) >= 24;
}

/** @param version what the host says of itself @returns whether a webhook with these events tells of all that it can */
export function tellsAll(events: readonly string[], version: string): boolean {
  const wanted = tellsOfStatuses(version) ? [...wantedEvents, ['status']] : wantedEvents;
  return wanted.every((names) => names.some((name) => events.includes(name)));
}

async function readHooks({ client }: Desk, project: string): Promise<readonly Hook[]> {
  const [owner = ''] = project.split('/');
  const own = await client.list(`/repos/${project}/hooks`, { schema: hooksSchema });
  const shared = await client.list(`/orgs/${owner}/hooks`, { schema: hooksSchema }).catch(() => []);
  return [...own, ...shared];
}

function names(repositories: readonly Repository[]): string[] {
  return repositories.map(({ full_name }) => full_name);
}
