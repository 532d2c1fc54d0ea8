import type { GitRemote } from '../../git/remote.ts';
import type { ConnectionCheck } from '../connection.ts';
import { checkClock, checkFetch, checkHookSecret, line, lineOf, some } from '../doctor.ts';
import { HostRefusal } from '../http.ts';
import type { ApprovalSettings, ReadSecret, SecretReference } from '../settings.ts';
import { projectPath } from './names.ts';
import { type Desk, readProjects } from './read.ts';
import {
  branchesSchema,
  hooksSchema,
  labelsSchema,
  type Project,
  tokenSchema,
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
  const { desk } = settings;
  const login = await line('login', () => checkLogin(desk));
  if (!login.ok) return [login];
  const projects = (await readProjects(desk)).filter(({ path_with_namespace: name }) => desk.owns(name));
  const about = { ...settings, projects };
  return [
    login,
    await line('events', () => checkHookSecret(desk.site.connection, settings)),
    await lineOf('git', projects, () => checkFetch(settings.remote, names(projects))),
    await lineOf('labels', projects, () => checkLabels(about)),
    await lineOf('rights', projects, () => checkRights(about)),
    await lineOf('webhook', projects, () => checkHooks(about)),
    await line('clock', () => checkClock(desk.client)),
  ];
}

interface About extends CheckSettings {
  readonly projects: readonly Project[];
}

async function checkLogin({ client, site }: Desk): Promise<string> {
  const { version } = await client.get('/version', versionSchema);
  const { username } = await client.get('/user', userSchema);
  const token = await client.find('/personal_access_tokens/self', tokenSchema);
  if (token !== null && !token.scopes.includes('api')) {
    throw new Error(`the token of ${username} has no scope "api": make another that has it`);
  }
  const end = token?.expires_at ? `; the token ends on ${token.expires_at}` : '';
  return `${username} at ${site.url}, version ${version}${end}`;
}

async function checkLabels({ desk, projects, approve }: About): Promise<string> {
  if (approve === undefined) return 'no label is asked for';
  const lacking: string[] = [];
  for (const { path_with_namespace: name } of projects) {
    const labels = await desk.client.list(`${projectPath(name)}/labels`, { schema: labelsSchema });
    if (!labels.some((each) => each.name === approve.label)) lacking.push(name);
  }
  if (lacking.length > 0) throw new Error(`make the label ${approve.label} in ${some(lacking)}, or in the group`);
  return `${approve.label} is there`;
}

const developer = 30;
const maintainer = 40;

function levelIn({ permissions }: Project): number {
  return Math.max(permissions?.project_access?.access_level ?? 0, permissions?.group_access?.access_level ?? 0);
}

async function checkRights({ desk, projects }: About): Promise<string> {
  const live = projects.filter(({ archived }) => !archived);
  const lacking = live.filter((project) => levelIn(project) < developer);
  if (lacking.length > 0) {
    throw new Error(`Sluice's account is no Developer of ${some(names(lacking))}: make it one, or a Maintainer`);
  }
  const open: string[] = [];
  let exact = 0;
  for (const project of live) {
    const name = project.path_with_namespace;
    const path = `${projectPath(name)}/repository/branches`;
    const shut = (await desk.client.list(path, { schema: branchesSchema, most: 1 })).filter((each) => each.protected);
    const closed = shut.filter((each) => !each.can_push && !mayMerge(project, each.developers_can_merge));
    if (closed.length > 0) {
      const branches = some(closed.map((each) => each.name));
      throw new Error(`let Sluice's account merge into ${branches} of ${name}: it is not allowed to there`);
    }
    if (shut.length === 0) open.push(name);
    if (shut.every((each) => each.can_push)) exact += 1;
  }
  const free = open.length === 0 ? '' : `; no branch is protected in ${some(open)}: anybody who can write goes past it`;
  return `may merge; pushes the tested commit itself in ${exact} of ${live.length} projects${free}`;
}

function mayMerge(project: Project, developers: boolean): boolean {
  return developers || levelIn(project) >= maintainer;
}

async function checkHooks({ desk, projects }: About): Promise<string> {
  const wanted = `/api/connection/${desk.site.connection}/payload`;
  const [lacking, unknown]: [string[], string[]] = [[], []];
  for (const project of projects) {
    const name = project.path_with_namespace;
    if (levelIn(project) < maintainer) unknown.push(name);
    else if (!(await hasHook(desk, name, wanted))) lacking.push(name);
  }
  if (lacking.length > 0) {
    const events = 'merge request, comment, push, tag push and pipeline events';
    throw new Error(`add a webhook to …${wanted} with ${events} in ${some(lacking)}, or in the group`);
  }
  if (unknown.length > 0) return `only a Maintainer sees the webhooks of ${some(unknown)}: look for …${wanted}`;
  return 'each project posts its events';
}

const wantedEvents = [
  'merge_requests_events',
  'note_events',
  'push_events',
  'tag_push_events',
  'pipeline_events',
] as const;

async function hasHook({ client }: Desk, project: string, wanted: string): Promise<boolean> {
  const own = await client.list(`${projectPath(project)}/hooks`, { schema: hooksSchema });
  const group = project.slice(0, project.lastIndexOf('/'));
  const path = `/groups/${encodeURIComponent(group)}/hooks`;
  // Only owners of a group, of some editions, see its webhooks.
  const shared = await client.list(path, { schema: hooksSchema }).catch((error: unknown) => {
    if (error instanceof HostRefusal) return [];
    throw error;
  });
  return [...own, ...shared].some(
    (hook) => hook.url.endsWith(wanted) && wantedEvents.every((event) => hook[event] === true),
  );
}

function names(projects: readonly Project[]): string[] {
  return projects.map(({ path_with_namespace: name }) => name);
}
