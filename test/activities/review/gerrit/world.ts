import { mkdtemp, rm } from 'node:fs/promises';
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
import { addSluice, adminUrl, askGerrit, done, type RestAnswer } from '../../../../infra/gerrit/account.ts';
import type { GerritSite } from '../../../../infra/gerrit/config.ts';
import { pushRights, type Setting } from '../../../../infra/gerrit/rights.ts';
import { type GerritServer, startGerrit } from '../../../../infra/gerrit/server.ts';
import { makeSite } from '../../../../infra/gerrit/site.ts';
import { fetchGerrit, type GerritTools } from '../../../../infra/gerrit/tools.ts';
import { type GerritVersion, usualGerrit } from '../../../../infra/gerrit/versions.ts';

export { done } from '../../../../infra/gerrit/account.ts';

/** Sluice's account there. */
export const bot = { name: 'sluice' } as const;

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
  readonly settings: GerritSettings & { readonly password: { readonly file: string } };
  /** Directory of keys and whatever tests need; removed at the end. */
  readonly directory: string;
  server: GerritServer;
  /** Another server of the same site. */
  restart(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** REST as somebody. */
  rest(method: string, path: string, body?: unknown, user?: string): Promise<RestAnswer>;
}

const shared = new Map<GerritVersion, Promise<SharedGerrit>>();
after(async () => {
  for (const started of shared.values()) {
    const gerrit = await started.catch(() => undefined);
    await gerrit?.server.stop();
    if (gerrit) await rm(gerrit.directory, { recursive: true, force: true, maxRetries: 5 });
  }
});

/** Started by the first test that asks. */
export function sharedGerrit(version = usualGerrit): Promise<SharedGerrit> {
  const started = shared.get(version) ?? start(version);
  shared.set(version, started);
  return started;
}

async function start(version: GerritVersion): Promise<SharedGerrit> {
  const tools = await fetchGerrit(version);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-gerrit-'));
  const site = await makeSite(tools, join(directory, 'site'), {
    rights,
    config: { 'change.submitWholeTopic': 'true' },
  });
  const server = await startGerrit(tools, site);
  const rest: SharedGerrit['rest'] = (method, path, body, user = 'admin') =>
    askGerrit(site, { method, path, body, user });
  await done(rest('PUT', '/projects/open', { permissions_only: true }));
  await setConfig(site, 'open', nothingRequired);
  const gerrit: SharedGerrit = {
    ...{ site, tools, directory, server, rest },
    settings: await addSluice(site, directory),
    async restart(how) {
      await gerrit.server.stop(how);
      gerrit.server = await startGerrit(tools, site);
    },
  };
  return gerrit;
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

/** Takes the right to push to a project from Sluice's account: then Gerrit merges by itself. */
export async function blockPush({ rest }: SharedGerrit, project: string): Promise<void> {
  const { id } = (await done(rest('GET', '/groups/Service%20Users'))) as { readonly id: string };
  const push = { rules: { [decodeURIComponent(id)]: { action: 'BLOCK' } } };
  const add = { 'refs/heads/*': { permissions: { push } } };
  await done(rest('POST', `/projects/${project}/access`, { add }));
}

export interface ConnectOptions {
  /** Instead of the shared Gerrit's. */
  readonly settings?: Partial<GerritSettings>;
  readonly owns?: (project: string) => boolean;
  readonly times?: StreamTimes;
  readonly patience?: HttpPatience;
}

/** Which of the shared Gerrits the tests of a suite are of. */
export type OpenGerrit = () => Promise<SharedGerrit>;

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
