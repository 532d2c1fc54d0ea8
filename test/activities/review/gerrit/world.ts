import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { openCache } from '../../../../activities/git/cache.ts';
import type { Git } from '../../../../activities/git/port.ts';
import type { GitRemote } from '../../../../activities/git/remote.ts';
import { must } from '../../../../activities/process/run.ts';
import type { Connection } from '../../../../activities/review/connection.ts';
import { openGerrit } from '../../../../activities/review/gerrit/adapter.ts';
import type { StreamTimes } from '../../../../activities/review/gerrit/stream.ts';
import type { HttpPatience } from '../../../../activities/review/http.ts';
import { readSecret } from '../../../../activities/review/secret.ts';
import type { GerritSettings } from '../../../../activities/review/settings.ts';
import type { GerritSite } from '../../../../infra/gerrit/config.ts';
import { pushRights, type Setting } from '../../../../infra/gerrit/rights.ts';
import { type GerritServer, startGerrit } from '../../../../infra/gerrit/server.ts';
import { adminPassword, knownHost, makeSite } from '../../../../infra/gerrit/site.ts';
import { fetchGerrit, type GerritTools } from '../../../../infra/gerrit/tools.ts';

/** Sluice's account there. */
export const bot = { name: 'sluice', password: 'between us' } as const;

/** Besides the usual ones: a label that nothing requires. */
const rights: readonly Setting[] = [
  ...pushRights,
  ['label.Approved.function', 'NoBlock'],
  ['label.Approved.defaultValue', '0'],
  ...['-1 No', ' 0 Nothing', '+1 Yes'].map((value): Setting => ['label.Approved.value', value]),
  ['access.refs/heads/*.label-Approved', '-1..+1 group Administrators'],
];

/** Gives every requirement up. */
const nothingRequired = ['Verified', 'Workflow', 'Code-Review'].flatMap((name): Setting[] => [
  [`submit-requirement.${name}.submittableIf`, 'is:true'],
  [`submit-requirement.${name}.applicableIf`, 'is:false'],
]);

/** A Gerrit with Sluice's account, for all tests of a file. */
export interface SharedGerrit {
  readonly site: GerritSite;
  readonly tools: GerritTools;
  readonly settings: GerritSettings;
  /** Directory of keys and whatever tests need; removed at the end. */
  readonly directory: string;
  server: GerritServer;
  /** Another server of the same site. */
  restart(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** REST as somebody; the answer's status and value, or text. */
  rest(method: string, path: string, body?: unknown, user?: string): Promise<RestAnswer>;
}

export interface RestAnswer {
  readonly status: number;
  readonly value: unknown;
}

let shared: Promise<SharedGerrit> | undefined;
after(async () => {
  const gerrit = await shared?.catch(() => undefined);
  await gerrit?.server.stop();
  if (gerrit) await rm(gerrit.directory, { recursive: true, force: true, maxRetries: 5 });
});

/** Started by the first test that asks. */
export function sharedGerrit(): Promise<SharedGerrit> {
  shared ??= start();
  return shared;
}

async function start(): Promise<SharedGerrit> {
  const tools = await fetchGerrit();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-gerrit-'));
  const site = await makeSite(tools, join(directory, 'site'), {
    rights,
    config: { 'change.submitWholeTopic': 'true' },
  });
  const gerrit: SharedGerrit = {
    site,
    tools,
    directory,
    settings: {
      driver: 'gerrit',
      url: site.url,
      ssh: `ssh://${bot.name}@127.0.0.1:${site.sshPort}`,
      identity: join(directory, 'key'),
      knownHosts: join(directory, 'known_hosts'),
      password: { file: join(directory, 'password') },
    },
    server: await startGerrit(tools, site),
    async restart(how) {
      await gerrit.server.stop(how);
      gerrit.server = await startGerrit(tools, site);
    },
    rest: (method, path, body, user = 'admin') => ask(site.url, { method, path, body, user }),
  };
  await prepare(gerrit);
  return gerrit;
}

async function prepare({ rest, settings, directory, site }: SharedGerrit): Promise<void> {
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'sluice', '-f', settings.identity]);
  await writeFile(settings.knownHosts, await knownHost(site));
  await writeFile(join(directory, 'password'), `${bot.password}\n`);
  const key = await readFile(`${settings.identity}.pub`, 'utf8');
  const account = { name: 'Sluice', email: 'sluice@example.org', http_password: bot.password, ssh_key: key };
  await done(rest('PUT', `/accounts/${bot.name}`, { ...account, groups: ['Service Users'] }));
  await done(rest('PUT', '/projects/open', { permissions_only: true }));
  await setConfig(site, 'open', nothingRequired);
}

/** Writes keys of a project's configuration, as its owner. */
export async function setConfig(site: GerritSite, project: string, keys: readonly Setting[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'sluice-gerrit-config-'));
  const git = (...args: string[]) => must('git', ['-C', work, ...args]);
  try {
    await git('init', '--quiet');
    await git('fetch', '--quiet', adminUrl(site, project), 'refs/meta/config');
    await git('checkout', '--quiet', 'FETCH_HEAD');
    for (const [key, value] of keys) await git('config', '--file', 'project.config', key, value);
    await git('add', 'project.config');
    const who = ['-c', 'user.name=Administrator', '-c', 'user.email=admin@example.com'];
    await git(...who, 'commit', '--quiet', '--message', 'Change the configuration');
    await git('push', '--quiet', adminUrl(site, project), 'HEAD:refs/meta/config');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Git over HTTP as the administrator, who is not Sluice. */
export function adminUrl({ httpPort }: GerritSite, project: string): string {
  return `http://admin:${adminPassword}@127.0.0.1:${httpPort}/a/${project}`;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly user: string;
}

async function ask(url: string, { method, path, body, user }: Asked): Promise<RestAnswer> {
  const password = user === bot.name ? bot.password : adminPassword;
  const response = await fetch(`${url}/a${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, value: text.startsWith(")]}'") ? JSON.parse(text.slice(4)) : text };
}

/** The value of an answer that is one. */
export async function done(answer: Promise<RestAnswer>): Promise<unknown> {
  const { status, value } = await answer;
  if (status >= 300) throw new Error(`Gerrit answers ${status}: ${String(value)}`);
  return value;
}

export interface ConnectOptions {
  /** Instead of the shared Gerrit's. */
  readonly settings?: Partial<GerritSettings>;
  readonly owns?: (project: string) => boolean;
  readonly times?: StreamTimes;
  readonly patience?: HttpPatience;
}

/** Sluice's side of the shared Gerrit, with a cache of its own. */
export async function connect(
  t: TestContext,
  gerrit: SharedGerrit,
  { settings: more = {}, owns = () => true, ...quick }: ConnectOptions = {},
): Promise<Connection & { readonly git: Git }> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-gerrit-cache-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const settings = { ...gerrit.settings, ...more };
  let remote: (project: string) => GitRemote = () => {
    throw new Error('not yet open');
  };
  const git = openCache({ directory, remote: (project) => remote(project) });
  const place = { name: 'review', repositories: directory, page: '' };
  const connection = openGerrit({ ...place, owns, settings, readSecret, git, ...quick });
  remote = connection.host.gitRemote;
  return { ...connection, git };
}
