import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openCache } from '../../../../activities/git/cache.ts';
import type { Git } from '../../../../activities/git/port.ts';
import type { Connection } from '../../../../activities/review/connection.ts';
import { openGitlab } from '../../../../activities/review/gitlab/adapter.ts';
import type { ReviewHost } from '../../../../activities/review/port.ts';
import type { ForgeSettings } from '../../../../activities/review/settings.ts';
import { makeCommit } from '../../git/repository.ts';
import { tip } from '../github/server/state.ts';
import { serve } from './server/server.ts';
import * as state from './server/state.ts';

export interface GitlabWorld {
  readonly world: state.World;
  readonly alpha: state.ProjectState;
  readonly beta: state.ProjectState;
  readonly connection: Connection;
  readonly host: ReviewHost;
  /** What `host` fetches into. */
  readonly git: Git;
  /** Another connection to the same server, as another process has it; it shares what is kept on disk. */
  open(settings?: Partial<ForgeSettings>, delay?: number): Connection;
}

const patience = { timeout: 20_000, size: 1024 * 1024, tries: 4, pause: 5, longestPause: 20 };

/** GitLab with the projects `acme/tools/alpha` and `acme/tools/beta`, and a connection `lab` to it. */
export async function openWorld(t: TestContext): Promise<GitlabWorld> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-gitlab-'));
  const world = state.createWorld(join(root, 'server'));
  const alpha = await state.addProject(world, 'acme/tools/alpha');
  const beta = await state.addProject(world, 'acme/tools/beta');
  const server = await serve(world);
  world.url = server.url;
  t.after(async () => {
    await server.close();
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
    if (world.problems.length === 0) return;
    throw new Error(`the server is not as GitLab describes it:\n${world.problems.join('\n')}`);
  });
  const secrets: Readonly<Record<string, string>> = { TOKEN: world.token, HOOK: 'hook-secret' };
  const git: Git = openCache({ directory: join(root, 'cache'), remote: (project) => host.gitRemote(project) });
  const open = (given: Partial<ForgeSettings> = {}, delay = 30_000) =>
    openGitlab({
      name: 'lab',
      repositories: join(root, 'data', 'git'),
      page: 'https://ci.example.org',
      owns: (project) => project.startsWith('acme/'),
      settings: {
        ...{ driver: 'gitlab', url: server.url, token: { env: 'TOKEN' }, webhookSecret: { env: 'HOOK' } },
        ...given,
      },
      readSecret: async (reference) => secrets['env' in reference ? reference.env : ''] ?? '',
      git,
      patience,
      delay,
    });
  const connection = open();
  const { host } = connection;
  return { world, alpha, beta, connection, host, git, open };
}

export interface Proposal {
  readonly files: Readonly<Record<string, string | null>>;
  readonly onTopOf?: string;
  readonly title?: string;
  readonly description?: string;
  readonly author?: string;
  readonly draft?: boolean;
}

/** Opens a merge request from a fork: its head is nowhere but in `refs/merge-requests/N/head`. */
export async function propose(
  world: state.World,
  project: state.ProjectState,
  proposal: Proposal,
): Promise<state.RequestState> {
  const { files, onTopOf, title = 'Change something', description = '', author = 'ada', draft = false } = proposal;
  const parents = [onTopOf ?? (await tip(project, 'master'))];
  const head = await makeCommit(project.directory, { parents, files, message: title });
  const time = state.now(world);
  const request: state.RequestState = {
    ...{ iid: project.requests.length + 1, author, title, description, draft, base: 'master', sourceBranch: 'topic' },
    ...{ state: 'opened', labels: [], created: time, updated: time, mergeCommit: null, squashCommit: null },
    ...{ versions: [], approvedBy: [], changesWantedBy: [], openThreads: 0, looked: null },
    ...{ notes: [], labelEvents: [], stateEvents: [] },
  };
  project.requests.push(request);
  await state.setHead(world, project, { request, head });
  return request;
}

/** Pushes over a merge request's head. */
export async function pushOver(
  world: state.World,
  project: state.ProjectState,
  { request, files }: { readonly request: state.RequestState; readonly files: Readonly<Record<string, string>> },
): Promise<void> {
  const parents = [await tip(project, 'master')];
  const head = await makeCommit(project.directory, { parents, files, message: `${request.title} again` });
  await state.setHead(world, project, { request, head });
  const body = 'added 1 commit\n\n<ul><li>abc - Change something again</li></ul>';
  state.addNote(world, request, { author: request.author, body, system: true });
}

export function idOf(project: state.ProjectState, request: state.RequestState): string {
  return `lab:${project.name}!${request.iid}`;
}
