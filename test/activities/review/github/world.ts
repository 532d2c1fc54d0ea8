import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openCache } from '../../../../activities/git/cache.ts';
import type { Git } from '../../../../activities/git/port.ts';
import type { Connection } from '../../../../activities/review/connection.ts';
import { type GithubContext, openGithub } from '../../../../activities/review/github/adapter.ts';
import type { ReviewHost } from '../../../../activities/review/port.ts';
import type { GithubSettings } from '../../../../activities/review/settings.ts';
import { makeCommit } from '../../git/repository.ts';
import { addEvent } from './server/pull-routes.ts';
import { serve } from './server/server.ts';
import {
  addRepository,
  createWorld,
  git,
  now,
  type PullState,
  type RepositoryState,
  tip,
  type World,
} from './server/state.ts';

export interface GithubWorld {
  readonly world: World;
  readonly url: string;
  readonly alpha: RepositoryState;
  readonly beta: RepositoryState;
  readonly connection: Connection;
  readonly host: ReviewHost;
  /** What `host` fetches into. */
  readonly git: Git;
  /** Another connection to the same server, as another process has it; it shares what is kept on disk. */
  open(settings?: Partial<GithubSettings>): Connection;
}

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const patience = { timeout: 20_000, size: 16 * 1024 * 1024, tries: 4, pause: 5, longestPause: 20 };

/** GitHub with the repositories `acme/alpha` and `acme/beta`, and a connection `hub` to it as an App. */
export async function openWorld(t: TestContext): Promise<GithubWorld> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-github-'));
  const world = createWorld(join(root, 'server'), keys.publicKey);
  const [alpha, beta] = [await addRepository(world, 'acme/alpha'), await addRepository(world, 'acme/beta')];
  const server = await serve(world);
  world.url = server.url;
  t.after(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
    if (world.problems.length > 0)
      if (world.problems.length > 0)
        throw new Error(`the server is not as GitHub describes it:\n${world.problems.join('\n')}`);
  });
  let first: Connection | undefined;
  const remote = (project: string) => {
    if (first === undefined) throw new Error('nothing is open');
    return first.host.gitRemote(project);
  };
  const cache = openCache({ directory: join(root, 'cache'), remote });
  const open = (given: Partial<GithubSettings> = {}) => {
    const app = { id: world.appId, key: { env: 'KEY' } };
    const settings: GithubSettings = {
      driver: 'github',
      url: server.url,
      webhookSecret: { env: 'HOOK' },
      ...(given.token === undefined ? { app } : {}),
      ...given,
    };
    const secrets: Readonly<Record<string, string>> = {
      KEY: keys.privateKey,
      HOOK: 'secret',
      TOKEN: world.token.value,
    };
    const context: GithubContext = {
      name: 'hub',
      repositories: join(root, 'data', 'git'),
      page: 'https://ci.example.org',
      owns: (project) => project !== 'acme/other',
      settings,
      readSecret: async (reference) => secrets['env' in reference ? reference.env : ''] ?? '',
      git: cache,
      patience,
      pause: 1,
    };
    const made: Connection = openGithub(context);
    first ??= made;
    return made;
  };
  const connection = open();
  return { world, url: server.url, alpha, beta, connection, host: connection.host, git: cache, open };
}

export interface Proposal {
  readonly files: Readonly<Record<string, string | null>>;
  readonly onTopOf?: string;
  readonly title?: string;
  readonly body?: string;
  readonly user?: string;
  readonly draft?: boolean;
}

/** Opens a pull request from a fork: its head is nowhere but in `refs/pull/N/head`. */
export async function propose(world: World, repository: RepositoryState, proposal: Proposal): Promise<PullState> {
  const { files, onTopOf, title = 'Change something', body = '', user = 'ada', draft = false } = proposal;
  const number = world.repositories.flatMap(({ pulls }) => pulls).length + 1;
  const parents = [onTopOf ?? (await tip(repository, 'master'))];
  const head = await makeCommit(repository.directory, { parents, files, message: title });
  await git(repository, 'update-ref', `refs/pull/${number}/head`, head);
  const time = now(world);
  const pull: PullState = {
    ...{ number, user, title, body, head, draft, base: 'master', state: 'open', labels: [] },
    ...{ created: time, updated: time, merged: null, test: null, comments: [], reviews: [], timeline: [] },
  };
  repository.pulls.push(pull);
  return pull;
}

/** Pushes over a pull request's head. */
export async function pushOver(
  world: World,
  repository: RepositoryState,
  { pull, files }: { readonly pull: PullState; readonly files: Readonly<Record<string, string | null>> },
): Promise<void> {
  const parents = [await git(repository, 'rev-parse', `${pull.head}^`)];
  pull.head = await makeCommit(repository.directory, { parents, files, message: pull.title });
  await git(repository, 'update-ref', `refs/pull/${pull.number}/head`, pull.head);
  addEvent(world, pull, { event: 'head_ref_force_pushed', by: pull.user });
}

export function idOf(repository: RepositoryState, pull: PullState): string {
  return `hub:${repository.fullName}#${pull.number}`;
}
