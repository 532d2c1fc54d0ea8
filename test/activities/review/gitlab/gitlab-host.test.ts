import type { TestContext } from 'node:test';
import type { TriggerEvent } from '../../../../pipelines/model/change.ts';
import { makeCommit, setBranch } from '../../git/repository.ts';
import { type ReviewWorld, testReviewHost } from '../contract.ts';
import { testCycles } from '../cycle.ts';
import { git, tip } from '../github/server/state.ts';
import { approve, headOf, type ProjectState, setState, unapprove } from './server/state.ts';
import { latestOf } from './server/views.ts';
import { idOf, openWorld, propose, pushOver } from './world.ts';

/** Our words for GitLab's events, as plain Git calls them. */
const names: Readonly<Record<string, string>> = {
  opened: 'patchset-created',
  changed: 'patchset-created',
  approved: 'comment-added',
  unapproved: 'comment-added',
  comment: 'comment-added',
  closed: 'change-abandoned',
  reopened: 'change-restored',
  merged: 'change-merged',
};

async function openReviewWorld(t: TestContext, mayPush = false): Promise<ReviewWorld> {
  const { world, host, git: cache, alpha, beta } = await openWorld(t);
  for (const project of [alpha, beta]) project.mayPush = mayPush;
  const all = () => [alpha, beta].flatMap((project) => project.requests.map((request) => ({ project, request })));
  const find = (id: string) => {
    const found = all().find(({ project, request }) => idOf(project, request) === id);
    if (found === undefined) throw new Error(`there is no merge request ${id}`);
    return found;
  };
  const called = (name: string): ProjectState => (name === 'alpha' ? alpha : beta);
  return {
    host,
    git: cache,
    words: {
      project: (name) => `acme/tools/${name}`,
      event: ({ action = '', type }: TriggerEvent) => names[action] ?? (type === 'report' ? 'comment-added' : action),
      refEvents: false,
      unstacked: true,
      approved: 'approved',
      verdict: {
        own: 'sluice/check',
        body: (value) => ({ status: value > 0 ? 'success' : 'failure', comment: true }),
      },
      verdicts: async (change) => {
        const { project, request } = find(change);
        return latestOf(project, headOf(request)).map(({ status }) => (status === 'success' ? 1 : -1));
      },
      account: world.login,
    },
    async push({ project: name, file, content, amend, onTopOf, needs = [] }) {
      const project = called(name);
      if (amend !== undefined) {
        await pushOver(world, project, { request: find(amend).request, files: { [file]: content } });
        return amend;
      }
      const description = needs.map((each) => `Depends-On: ${each}\n`).join('');
      const below = onTopOf === undefined ? {} : { onTopOf: headOf(find(onTopOf).request) };
      const request = await propose(world, project, { files: { [file]: content }, description, ...below });
      return idOf(project, request);
    },
    async vote(change, _label, value) {
      const { request } = find(change);
      request.changesWantedBy.length = 0;
      if (value > 0) return approve(world, request, 'bob');
      unapprove(world, request, 'bob');
      if (value < 0) request.changesWantedBy.push('bob');
    },
    abandon: async (change) => setState(world, find(change).request, { by: 'bob', state: 'closed' }),
    restore: async (change) => setState(world, find(change).request, { by: 'bob', state: 'reopened' }),
    nameOf: ({ url = '' }) => url,
    async moveBranch(name) {
      const { directory } = called(name);
      const parents = [await tip(called(name), 'master')];
      await setBranch(directory, 'master', await makeCommit(directory, { parents, files: { moved: '1' } }));
    },
    async tag(name, label) {
      const who = ['-c', 'user.name=A', '-c', 'user.email=a@example.org'];
      await git(called(name), ...who, 'tag', '-m', label, label, 'master');
    },
  };
}

testReviewHost('GitLab', (t) => openReviewWorld(t));
testCycles('GitLab', { open: (t) => openReviewWorld(t, true) });
testCycles('GitLab, which merges by itself', { open: (t) => openReviewWorld(t) });
