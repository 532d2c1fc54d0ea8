import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCache } from '../../../../activities/git/cache.ts';
import type { MergeMode } from '../../../../activities/git/merge.ts';
import type { Connection } from '../../../../activities/review/connection.ts';
import { openGitea } from '../../../../activities/review/gitea/adapter.ts';
import type { SourceState } from '../../../../pipelines/model/artifact.ts';
import type { Change, TriggerEvent } from '../../../../pipelines/model/change.ts';
import { scratch } from '../../git/repository.ts';
import type { ReviewWorld, Words } from '../contract.ts';
import { prepare } from '../tested.ts';
import type { Account, GiteaSite } from './site.ts';

/** An owner of its own with the projects `alpha` and `beta`, on the Gitea of a test's file. */
export interface GiteaWorld extends ReviewWorld {
  readonly words: Words;
  readonly connection: Connection;
  readonly owner: string;
  /** Merges changes as they would be for a test: the state of the last. */
  prepare(changes: readonly string[], mode?: MergeMode): Promise<SourceState>;
  /** Another process's view of the same: nothing of it is in memory. */
  reopen(more?: { readonly url?: string }): Connection;
}

export const hookSecret = 'hook-secret';

export async function openWorld(t: TestContext, site: GiteaSite): Promise<GiteaWorld> {
  const owner = `o${randomUUID().slice(0, 8)}`;
  const { root, sluice, bob, server } = site;
  await root.api('POST', '/orgs', { username: owner });
  for (const name of ['alpha', 'beta']) await addProject(site, owner, name);
  const directory = await scratch(t);
  const reopen: GiteaWorld['reopen'] = (more = {}) => {
    const { url = server.url } = more;
    const opened: Connection = openGitea({
      name: 'tea',
      repositories: join(directory, 'git'),
      page: '',
      owns: (project) => project.startsWith(`${owner}/`),
      settings: { driver: 'gitea', url, token: { env: 'TOKEN' }, webhookSecret: { env: 'HOOK' } },
      readSecret: async (reference) => ('env' in reference && reference.env === 'HOOK' ? hookSecret : sluice.token),
      git: openCache({ directory: join(directory, 'cache'), remote: (project) => opened.host.gitRemote(project) }),
    });
    return opened;
  };
  const cache = openCache({
    directory: join(directory, 'cache'),
    remote: (project) => connection.host.gitRemote(project),
  });
  const connection = reopen();
  const { host } = connection;
  const pullOf = (change: string) => pathOf(change, 'pulls');
  const setState = async (change: string, state: string) => {
    await bob.api('PATCH', pullOf(change), { state });
  };
  return {
    host,
    connection,
    owner,
    git: cache,
    reopen,
    words: wordsOf(owner, sluice),
    prepare: (changes, mode) => prepare({ host, git: cache }, changes, mode),
    push: (commit) => push({ site, owner, connection }, commit),
    async vote(change, _label, value) {
      const path = `${pullOf(change)}/reviews`;
      if (value !== 0) {
        await bob.api('POST', path, { event: value > 0 ? 'APPROVED' : 'REQUEST_CHANGES', body: 'as I see it' });
        return;
      }
      const reviews = await bob.api<{ id: number; user: { login: string } }[]>('GET', path);
      for (const { id } of reviews.filter(({ user }) => user.login === 'bob')) {
        await root.api('POST', `${path}/${id}/dismissals`, { message: 'taken back' });
      }
    },
    abandon: (change) => setState(change, 'closed'),
    restore: (change) => setState(change, 'open'),
    nameOf: ({ url }: Change) => url ?? assert.fail('a change has a page'),
    async moveBranch(project) {
      await sluice.api('POST', `/repos/${owner}/${project}/contents/moved`, contents('moved', { branch: 'master' }));
    },
    async tag(project, name) {
      await sluice.api('POST', `/repos/${owner}/${project}/tags`, { tag_name: name, message: name, target: 'master' });
    },
  };
}

/** The API's path of a change: `pulls` or `issues`. */
export function pathOf(change: string, kind: 'pulls' | 'issues'): string {
  const [, project, number] = /^tea:(.+)#(\d+)$/.exec(change) ?? assert.fail(change);
  return `/repos/${project}/${kind}/${number}`;
}

async function addProject({ root, server }: GiteaSite, owner: string, name: string): Promise<void> {
  await root.api('POST', `/orgs/${owner}/repos`, { name, auto_init: true, default_branch: 'master' });
  const path = `/repos/${owner}/${name}`;
  await root.api('PATCH', path, { has_pull_requests: true, allow_manual_merge: true });
  await root.api('PUT', `${path}/collaborators/sluice-bot`, { permission: 'admin' });
  await root.api('PUT', `${path}/collaborators/bob`, { permission: 'write' });
  await root.api('POST', `${path}/branch_protections`, {
    branch_name: 'master',
    ...{ enable_push: true, enable_push_whitelist: true, push_whitelist_usernames: ['sluice-bot'] },
    ...{ enable_merge_whitelist: true, merge_whitelist_usernames: ['sluice-bot'] },
  });
  assert.ok(server.url);
}

export function contents(text: string, more: object): object {
  return { content: Buffer.from(text).toString('base64'), message: `Write ${text}`, ...more };
}

function wordsOf(owner: string, sluice: Account): Words {
  return {
    project: (name) => `${owner}/${name}`,
    event: (event) => eventNames[event.action ?? ''] ?? (event.type === 'report' ? 'comment-added' : eventName(event)),
    refEvents: false,
    unstacked: true,
    approved: 'approved',
    verdict: {
      own: 'sluice/check',
      body: (value) => ({ status: value > 0 ? 'success' : 'failure', comment: true }),
    },
    async verdicts(change) {
      const [project] = change.slice('tea:'.length).split('#');
      const pull = await sluice.api<{ head: { sha: string } }>('GET', pathOf(change, 'pulls'));
      const path = `/repos/${project}/commits/${pull.head.sha}/statuses`;
      const statuses = await sluice.api<{ status: string; context: string }[]>('GET', path);
      return statuses
        .filter(({ context }) => context.startsWith('sluice'))
        .map(({ status }) => (status === 'success' ? 1 : -1));
    },
    account: sluice.name,
  };
}

const eventNames: Readonly<Record<string, string>> = {
  opened: 'patchset-created',
  changed: 'patchset-created',
  approved: 'comment-added',
  unapproved: 'comment-added',
  comment: 'comment-added',
  closed: 'change-abandoned',
  reopened: 'change-restored',
  merged: 'change-merged',
};

function eventName({ type, action }: TriggerEvent): string {
  return `${type} ${action}`;
}

interface Place {
  readonly site: GiteaSite;
  readonly owner: string;
  readonly connection: Connection;
}

let branches = 0;
/** Branches of Ada's forks, by change. */
const proposed = new Map<string, { readonly fork: string; readonly branch: string }>();

async function push(place: Place, commit: Parameters<ReviewWorld['push']>[0]): Promise<string> {
  const { amend } = commit;
  if (amend !== undefined) return nextPatchSet(place, amend, commit);
  const { site, owner } = place;
  const { project, file, content, onTopOf, needs = [] } = commit;
  const { ada } = site;
  const fork = await forkOf(place, project);
  branches += 1;
  const branch = `change-${branches}`;
  const from = onTopOf === undefined ? 'master' : (proposed.get(onTopOf)?.branch ?? assert.fail(onTopOf));
  await ada.api('POST', `/repos/${fork}/contents/${file}`, contents(content, { branch: from, new_branch: branch }));
  const body = needs.map((name) => `Depends-On: ${name}`).join('\n');
  const asked = { head: `ada:${branch}`, base: 'master', title: `Write ${file}`, body };
  const { number } = await ada.api<{ number: number }>('POST', `/repos/${owner}/${project}/pulls`, asked);
  const change = `tea:${owner}/${project}#${number}`;
  proposed.set(change, { fork, branch });
  return change;
}

async function nextPatchSet({ site, connection }: Place, change: string, commit: { file: string; content: string }) {
  const { fork, branch } = proposed.get(change) ?? assert.fail(change);
  const { ada } = site;
  const before = await connection.host.readChange(change);
  const path = `/repos/${fork}/contents/${commit.file}`;
  const { sha } = await ada.api<{ sha: string }>('GET', `${path}?ref=${branch}`);
  await ada.api('PUT', path, contents(commit.content, { branch, sha }));
  await until(async () => (await connection.host.readChange(change))?.patchset === (before?.patchset ?? 0) + 1);
  return change;
}

/** The branch that a change was proposed from. */
export function proposalOf(change: string): { readonly fork: string; readonly branch: string } {
  return proposed.get(change) ?? assert.fail(change);
}

async function forkOf({ site, owner }: Place, project: string): Promise<string> {
  const name = `${owner}-${project}`;
  const fork = `ada/${name}`;
  const known = await fetch(`${site.server.url}/api/v1/repos/${fork}`, {
    headers: { authorization: `token ${site.ada.token}` },
  });
  if (!known.ok) await site.ada.api('POST', `/repos/${owner}/${project}/forks`, { name });
  return fork;
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 180_000; !(await holds()); await sleep(100)) {
    if (Date.now() > deadline) assert.fail('it does not come to be');
  }
}
