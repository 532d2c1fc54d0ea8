import { dirname, join } from 'node:path';
import type { Change } from '../../../pipelines/model/change.ts';
import type { GitRemote } from '../../git/remote.ts';
import { mapAtOnce } from '../../process/at-once.ts';
import { must } from '../../process/run.ts';
import { byName } from '../by-name.ts';
import { findByNumber } from '../by-number.ts';
import type { Connection, ConnectionContext } from '../connection.ts';
import { pageOf } from '../cut.ts';
import type { HttpPatience } from '../http.ts';
import { openJournal } from '../journal.ts';
import type { ReviewHost } from '../port.ts';
import type { GithubSettings } from '../settings.ts';
import { createClient } from './client.ts';
import { checkConnection } from './doctor.ts';
import { createWebhook } from './ingest.ts';
import { readStanding, readTip, submit, withdraw } from './merge.ts';
import { isProject, pullId } from './names.ts';
import { findOne, findPull, listOpen, type Place, readHistory, resolvePull } from './pulls.ts';
import { report, tellProgress } from './report.ts';
import { readMergeability } from './requirements.ts';
import {
  branchSchema,
  installationSchema,
  type ListedPull,
  type Repository,
  repositorySchema,
  tagSchema,
} from './schema.ts';

export interface GithubContext extends ConnectionContext {
  readonly settings: GithubSettings;
  /** For tests, which do not wait as long as there is reason to elsewhere. */
  readonly patience?: HttpPatience;
  readonly pause?: number;
}

/** Opens a connection to GitHub, or to an Enterprise server, as an App or with a token. */
export function openGithub(context: GithubContext): Connection {
  const { name, settings, readSecret, page, owns, patience } = context;
  const client = createClient({ name, settings, readSecret, patience });
  const place: Place = {
    connection: name,
    settings,
    url: settings.url,
    owns,
    client,
    git: context.git,
    saying: new Map(),
    journal: openJournal(join(dirname(context.repositories), 'review', name)),
    pageOf: (change) => (page === '' ? undefined : pageOf(page, change)),
    pause: context.pause ?? 500,
  };
  const host = createGithubHost(place);
  const tryGit = async (project: string) => {
    const { url, access } = host.gitRemote(project);
    await must('git', ['ls-remote', '--heads', url], { env: { ...(await access()), GIT_TERMINAL_PROMPT: '0' } });
  };
  return {
    host,
    people: null,
    webhook: createWebhook({ connection: name, settings, readSecret }),
    stream: null,
    check: () => checkConnection(place, () => readRepositories(place), tryGit),
  };
}

function createGithubHost(place: Place): ReviewHost {
  const { client, git } = place;
  const listProjects = async () => (await readRepositories(place)).map(({ full_name: name }) => name);
  const own = async () => (await listProjects()).filter(place.owns);
  const known = rememberChanges(place);
  const host: ReviewHost = {
    connection: place.connection,
    async readChange(name) {
      const numbered = await findByNumber(name, host);
      if (numbered !== undefined) return numbered;
      const found = await findPull(place, name);
      return found === null ? null : resolvePull(place, found);
    },
    async listOpenChanges() {
      return known(await listOpen(place, await own()));
    },
    async changesDependingOn(change) {
      return (await host.listOpenChanges()).filter(({ dependsOn }) => dependsOn.includes(change));
    },
    async readEvents(change, after) {
      const events = await readHistory(place, await findOne(place, change, 1));
      return { events: events.slice(after), last: Math.max(after, events.length) };
    },
    canMerge: async (change, own, mode) =>
      readMergeability(place, await findOne(place, change), { isOwn: (name) => own.includes(name), mode }),
    report: (actor, said) => report(place, actor, said),
    progress: (actor, progress) => tellProgress(place, actor, progress),
    submit: (actor, request) => submit(place, actor, request),
    withdraw: (actor, withdrawal) => withdraw(place, actor, withdrawal),
    listProjects,
    async branches(project) {
      const found = isProject(project)
        ? await client.list({ project, route: 'GET /repos/{owner}/{repo}/branches' }, branchSchema)
        : null;
      const branches = (found ?? []).map((one) => ({
        name: one.name,
        commit: one.commit.sha,
        protected: one.protected,
      }));
      return branches.sort(byName);
    },
    async tags(project) {
      const found = isProject(project)
        ? await client.list({ project, route: 'GET /repos/{owner}/{repo}/tags' }, tagSchema)
        : null;
      return (found ?? []).map(({ name, commit }) => ({ name, commit: commit.sha })).sort(byName);
    },
    readStanding: async (of) => (isProject(of.project) ? readStanding(place, of) : null),
    branchTip: async (project, branch) => (isProject(project) ? readTip(place, project, branch) : null),
    readMerged: async (of) => (isProject(of.project) ? git.readMerged(of) : null),
    nameNow: (project) => nameNow(place, project),
    gitRemote: (project) => remoteOf(place, project),
  };
  return host;
}

/** GitHub leads on to what was renamed, which says what it is called. */
async function nameNow({ client, owns }: Place, project: string): Promise<string | null> {
  if (!isProject(project) || !owns(project)) return null;
  const found = await client.read({ project, route: 'GET /repos/{owner}/{repo}' }, repositorySchema);
  return found === null || found.full_name.toLowerCase() === project.toLowerCase() ? null : found.full_name;
}

/** A token goes in a header, and to this host alone. */
function remoteOf({ url, client }: Place, project: string): GitRemote {
  return {
    url: [url, project].join('/').concat('.git'),
    async access() {
      const [, token = ''] = (await client.tokens.forProject(project))?.split(' ') ?? [];
      if (token === '') return {};
      const secret = Buffer.from(`x-access-token:${token}`).toString('base64');
      return {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: `http.${url}/.extraHeader`,
        GIT_CONFIG_VALUE_0: `Authorization: Basic ${secret}`,
      };
    },
  };
}

/** Every repository that the App is installed for, or that the token can see. */
async function readRepositories({ client, settings }: Place): Promise<readonly Repository[]> {
  const us = await client.tokens.forUs();
  const lists =
    settings.app === undefined
      ? [await client.listAs(us, 'GET /user/repos', repositorySchema)]
      : await Promise.all(
          (await client.listAs(us, 'GET /app/installations', installationSchema))
            .filter(({ suspended_at: suspended }) => !suspended)
            .map(async ({ id }) =>
              client.listAs(
                await client.tokens.forInstallation(id),
                'GET /installation/repositories',
                repositorySchema,
              ),
            ),
        );
  const named = new Map(lists.flat().map((repository) => [repository.full_name, repository]));
  return [...named.keys()]
    .filter(isProject)
    .sort()
    .map((name) => named.get(name) as Repository);
}

/** So many pull requests are read at once. */
const atOnce = 4;
/** Milliseconds that what was read of an open pull request serves lists, while GitHub says that nothing has happened. */
const freshness = 60_000;
/** What happened so recently may not show in a time of whole seconds, of a clock that is not ours. */
const doubt = 90_000;

/** Reads the pull requests of a list, those that were not touched lately from memory. */
function rememberChanges(place: Place): (pulls: readonly ListedPull[]) => Promise<readonly Change[]> {
  const known = new Map<string, { readonly stamp: string; readonly read: number; readonly change: Change }>();
  const read = async (pull: ListedPull): Promise<Change | null> => {
    const id = pullId(place.connection, pull.base.repo.full_name, pull.number);
    const stamp = `${pull.updated_at} ${pull.head.sha} ${pull.base.sha}`;
    const before = known.get(id);
    const now = Date.now();
    const quiet = Date.parse(pull.updated_at) < now - doubt;
    if (before?.stamp === stamp && quiet && now - before.read < freshness) return before.change;
    const found = await findPull(place, id);
    if (found === null) return null;
    const change = await resolvePull(place, found);
    known.set(id, { stamp, read: now, change });
    return change;
  };
  return async (pulls) => {
    const changes = (await mapAtOnce(pulls, atOnce, read)).filter((change) => change !== null);
    const listed = new Set(changes.map(({ id }) => id));
    for (const id of known.keys()) if (!listed.has(id)) known.delete(id);
    return changes.filter(({ status }) => status === 'open');
  };
}
