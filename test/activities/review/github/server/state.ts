import { randomBytes } from 'node:crypto';
import { must } from '../../../../../activities/process/run.ts';
import { bareRepository, makeCommit, setBranch } from '../../../git/repository.ts';
import type { Json } from './description.ts';

/** What the server keeps, besides the repositories on disk. */

export type Login = string;

export interface Review {
  readonly id: number;
  readonly user: Login;
  state: string;
  readonly body: string;
  readonly commit: string;
  readonly time: string;
}

export interface Comment {
  readonly id: number;
  readonly user: Login;
  body: string;
  readonly time: string;
  updated: string;
}

export interface PullState {
  readonly number: number;
  readonly user: Login;
  title: string;
  body: string;
  base: string;
  head: string;
  state: 'open' | 'closed';
  draft: boolean;
  labels: string[];
  readonly created: string;
  updated: string;
  merged: { readonly sha: string; readonly by: Login; readonly time: string } | null;
  /** Of which head on which tip GitHub has computed the merge, and what came out. */
  test: { readonly of: string; readonly commit: string | null } | null;
  readonly comments: Comment[];
  readonly reviews: Review[];
  readonly timeline: Json[];
}

export interface StatusState {
  readonly sha: string;
  readonly by: Login;
  readonly time: string;
  readonly given: Json;
}

export interface RunState {
  readonly id: number;
  readonly given: Record<string, unknown>;
  readonly annotations: Json[];
  /** Number of annotations in each request. */
  readonly batches: number[];
}

export interface RepositoryState {
  fullName: string;
  readonly directory: string;
  archived: boolean;
  /** Whether Sluice may push to its branches. */
  mayPush: boolean;
  methods: { merge: boolean; squash: boolean; rebase: boolean };
  requiredChecks: string[];
  requiredApprovals: number;
  /** Branch protection wants a linear history, and shows that to who may administer alone. */
  linear: boolean;
  rules: Json[];
  readonly permissions: Record<Login, string>;
  readonly pulls: PullState[];
  readonly statuses: StatusState[];
  readonly runs: RunState[];
  labels: string[];
  /** Whether the token's account may write, or administer it. */
  mayWrite: boolean;
  mayAdminister: boolean;
  /** Webhooks, where who asks may see them. */
  hooks: Json[] | null;
}

/** What goes wrong with requests whose method and path match, so many times. */
export interface Fault {
  readonly match: RegExp;
  readonly kind: 'unavailable' | 'html' | 'cut' | 'limited' | 'secondary' | 'busy';
  times: number;
  /** Whether it is carried out all the same. */
  readonly done?: boolean;
}

export interface World {
  /** Where it is served. */
  url: string;
  readonly root: string;
  readonly appId: number;
  readonly slug: string;
  readonly publicKey: string;
  /** Of a person, or a machine's account. */
  readonly token: { readonly value: string; readonly login: Login };
  permissions: Record<string, string>;
  events: string[];
  hook: Json;
  /** Those of the organization, where who asks may see them. */
  orgHooks: Json[] | null;
  readonly repositories: RepositoryState[];
  /** Old names of repositories. */
  readonly renamed: Map<string, string>;
  readonly faults: Fault[];
  /** `METHOD PATH` of all that was asked. */
  readonly asked: string[];
  /** What happens just before a request is answered. */
  before?: ((request: string) => Promise<void>) | undefined;
  readonly problems: string[];
  /** Whether it computes what merges of pull requests come to. */
  computes: boolean;
  /** Milliseconds that the server's clock is ahead. */
  skew: number;
  /** Called before a merge is carried out. */
  beforeMerge: (() => Promise<void>) | null;
}

let last = 1_000;

/** Numbers of things. */
export function nextId(): number {
  last += 1;
  return last;
}

export function now({ skew }: Pick<World, 'skew'>): string {
  return `${new Date(Date.now() + skew).toISOString().slice(0, 19)}Z`;
}

export function createWorld(root: string, publicKey: string): World {
  return {
    url: '',
    root,
    appId: 4711,
    slug: 'sluice-gate',
    publicKey,
    token: { value: `ghp_${randomBytes(8).toString('hex')}`, login: 'machine' },
    permissions: {
      checks: 'write',
      contents: 'write',
      issues: 'write',
      metadata: 'read',
      pull_requests: 'write',
      statuses: 'write',
    },
    events: [
      ...['issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_thread'],
      ...['push', 'repository', 'status'],
    ],
    orgHooks: null,
    hook: { url: 'https://ci.example.org/api/connection/hub/payload', content_type: 'json', secret: '********' },
    repositories: [],
    renamed: new Map(),
    faults: [],
    asked: [],
    problems: [],
    computes: true,
    skew: 0,
    beforeMerge: null,
  };
}

/** A repository whose `master` holds one file, and is protected. */
export async function addRepository(world: World, fullName: string): Promise<RepositoryState> {
  const directory = await bareRepository(world.root, fullName);
  await setBranch(directory, 'master', await makeCommit(directory, { files: { start: fullName } }));
  const repository: RepositoryState = {
    fullName,
    directory,
    archived: false,
    mayPush: false,
    methods: { merge: true, squash: true, rebase: true },
    requiredChecks: [],
    requiredApprovals: 0,
    linear: false,
    rules: [],
    permissions: { ada: 'write', bob: 'write', root: 'admin' },
    pulls: [],
    statuses: [],
    runs: [],
    labels: ['bug', 'gate'],
    hooks: null,
    mayWrite: true,
    mayAdminister: false,
  };
  world.repositories.push(repository);
  return repository;
}

export async function git(repository: Pick<RepositoryState, 'directory'>, ...args: string[]): Promise<string> {
  const env = { GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org' };
  const committer = { GIT_COMMITTER_NAME: 'GitHub', GIT_COMMITTER_EMAIL: 'noreply@example.org' };
  return (
    await must('git', [`--git-dir=${repository.directory}`, ...args], { env: { ...env, ...committer } })
  ).stdout.trim();
}

export async function tip(repository: Pick<RepositoryState, 'directory'>, branch: string): Promise<string> {
  return git(repository, 'rev-parse', '--verify', `refs/heads/${branch}`);
}
