import type { TestContext } from 'node:test';
import { sign } from '@octokit/webhooks-methods';
import type { Delivery } from '../../activities/review/port.ts';
import { makeCommit, setBranch } from '../activities/git/repository.ts';
import { addComment, addReview, closePull, setLabel } from '../activities/review/github/server/pull-routes.ts';
import { nextId, now, tip } from '../activities/review/github/server/state.ts';
import * as github from '../activities/review/github/world.ts';
import * as lab from '../activities/review/gitlab/server/state.ts';
import * as gitlab from '../activities/review/gitlab/world.ts';
import { type Forge, forgeConfig, testForge } from './forge.ts';

const secretOf = { github: 'secret', gitlab: 'hook-secret' };

async function openGithub(t: TestContext): Promise<Forge> {
  const { world, alpha, connection, git } = await github.openWorld(t);
  alpha.mayPush = true;
  await configure(alpha.directory);
  let pull: Awaited<ReturnType<typeof github.propose>> | undefined;
  const post = async (event: string, content: object): Promise<Delivery> => {
    const number = pull?.number ?? 0;
    const told = {
      repository: { full_name: alpha.fullName },
      sender: { login: 'bob' },
      pull_request: { number },
      number,
    };
    const body = Buffer.from(JSON.stringify({ ...told, ...content }));
    const headers = { 'x-github-event': event, 'x-github-delivery': `${nextId()}` };
    return { headers: { ...headers, 'x-hub-signature-256': await sign(secretOf.github, body.toString()) }, body };
  };
  return {
    ...{ connection, git, driver: 'github', project: alpha.fullName },
    async open() {
      pull = await github.propose(world, alpha, { files: { a: '1' } });
      return [github.idOf(alpha, pull), await post('pull_request', { action: 'opened' })];
    },
    async label() {
      if (pull) setLabel(world, pull, { name: 'review', by: 'ada', on: true });
      return post('pull_request', { action: 'labeled' });
    },
    async approve() {
      if (pull) addReview(world, pull, { user: 'bob', state: 'APPROVED' });
      return post('pull_request_review', { action: 'submitted' });
    },
    async merged() {
      if (pull?.state === 'open') closePull(world, pull, 'sluice', await tip(alpha, 'master'));
      return post('pull_request', { action: 'closed' });
    },
    async want() {
      alpha.requiredChecks = ['unit'];
    },
    async give() {
      const given = { context: 'unit', state: 'success' };
      alpha.statuses.push({ sha: pull?.head ?? '', by: 'jenkins', time: now(world), given });
    },
    byTheWay: async () =>
      post('status', { sha: pull?.head, context: 'lint', state: 'success', updated_at: now(world) }),
    async recheck() {
      if (pull) addComment(world, pull, { user: 'ada', body: 'recheck' });
      return post('issue_comment', { action: 'created', issue: { number: pull?.number, pull_request: {} } });
    },
  };
}

async function openGitlab(t: TestContext): Promise<Forge> {
  const { world, alpha, connection, git } = await gitlab.openWorld(t);
  await configure(alpha.directory);
  let request: Awaited<ReturnType<typeof gitlab.propose>> | undefined;
  const post = (action: string): Delivery => {
    const project = { path_with_namespace: alpha.name };
    const content = { object_kind: 'merge_request', project, object_attributes: { iid: request?.iid, action } };
    const headers = { 'x-gitlab-event': 'Merge Request Hook', 'x-gitlab-token': secretOf.gitlab };
    return { headers, body: Buffer.from(JSON.stringify(content)) };
  };
  return {
    ...{ connection, git, driver: 'gitlab', project: alpha.name },
    async open() {
      request = await gitlab.propose(world, alpha, { files: { a: '1' } });
      if (alpha.threadsRequired) request.openThreads = 1;
      return [gitlab.idOf(alpha, request), post('open')];
    },
    async label() {
      if (request) lab.setLabel(world, request, { name: 'approved', by: 'ada', on: true });
      return post('update');
    },
    async approve() {
      if (request) lab.approve(world, request, 'bob');
      return post('approved');
    },
    merged: async () => post('merge'),
    async want() {
      alpha.threadsRequired = true;
    },
    async give() {
      if (request) request.openThreads = 0;
    },
    async byTheWay() {
      if (request) lab.addNote(world, request, { author: 'ada', body: 'changed the description', system: true });
      return post('update');
    },
    async recheck() {
      if (request) lab.addNote(world, request, { author: 'ada', body: 'recheck' });
      return post('note');
    },
  };
}

async function configure(directory: string): Promise<void> {
  const parents = [await tip({ directory }, 'master')];
  await setBranch(directory, 'master', await makeCommit(directory, { parents, files: { '.zuul.yaml': forgeConfig } }));
}

testForge('GitHub', openGithub);
testForge('GitLab', openGitlab);
