import type { TestContext } from 'node:test';
import type { TriggerEvent } from '../../../../pipelines/model/change.ts';
import { makeCommit, setBranch } from '../../git/repository.ts';
import { type ReviewWorld, testReviewHost } from '../contract.ts';
import { testCycles } from '../cycle.ts';
import { addEvent, addReview, closePull } from './server/pull-routes.ts';
import { git, type PullState, type RepositoryState, tip } from './server/state.ts';
import { idOf, openWorld, propose, pushOver } from './world.ts';

/** Our words for GitHub's events, as plain Git calls them. */
const names: Readonly<Record<string, string>> = {
  opened: 'patchset-created',
  changed: 'patchset-created',
  submitted: 'comment-added',
  comment: 'comment-added',
  closed: 'change-abandoned',
  reopened: 'change-restored',
};

async function openReviewWorld(t: TestContext, more: Partial<RepositoryState> = {}): Promise<ReviewWorld> {
  const { world, host, git: cache, alpha, beta } = await openWorld(t);
  for (const repository of [alpha, beta]) Object.assign(repository, more);
  const all = () => [alpha, beta].flatMap((repository) => repository.pulls.map((pull) => ({ repository, pull })));
  const find = (id: string) => {
    const found = all().find(({ repository, pull }) => idOf(repository, pull) === id);
    if (found === undefined) throw new Error(`there is no pull request ${id}`);
    return found;
  };
  const called = (name: string): RepositoryState => (name === 'alpha' ? alpha : beta);
  const eventName = ({ action = '', change = '' }: TriggerEvent): string =>
    action === 'closed' && find(change).pull.merged !== null ? 'change-merged' : (names[action] ?? action);
  return {
    host,
    git: cache,
    words: {
      project: (name) => `acme/${name}`,
      event: eventName,
      refEvents: false,
      unstacked: true,
      approved: 'review',
      verdict: {
        own: 'sluice/gate',
        body: (value) => ({ check: value > 0 ? 'success' : 'failure' }),
      },
      verdicts: async (change) => {
        const { repository, pull } = find(change);
        const runs = repository.runs.filter(({ given }) => given.head_sha === pull.head);
        return runs.map(({ given }) => (given.conclusion === 'success' ? 1 : -1));
      },
      account: 'sluice',
    },
    async push({ project, file, content, amend, onTopOf, needs = [] }) {
      const repository = called(project);
      if (amend !== undefined) {
        const { pull } = find(amend);
        await pushOver(world, repository, { pull, files: { [file]: content } });
        return amend;
      }
      const body = needs.map((name) => `Depends-On: ${name}\n`).join('');
      const below = onTopOf === undefined ? {} : { onTopOf: find(onTopOf).pull.head };
      const pull = await propose(world, repository, { files: { [file]: content }, body, ...below });
      return idOf(repository, pull);
    },
    async vote(change, _label, value) {
      const { pull } = find(change);
      if (value === 0) return dismiss(pull);
      addReview(world, pull, { user: 'bob', state: value > 0 ? 'APPROVED' : 'CHANGES_REQUESTED' });
    },
    abandon: async (change) => closePull(world, find(change).pull, 'bob', null),
    async restore(change) {
      const { pull } = find(change);
      pull.state = 'open';
      addEvent(world, pull, { event: 'reopened', by: 'bob' });
    },
    nameOf: ({ url = '' }) => url,
    async moveBranch(project) {
      const { directory } = called(project);
      const parents = [await tip(called(project), 'master')];
      await setBranch(directory, 'master', await makeCommit(directory, { parents, files: { moved: '1' } }));
    },
    async tag(project, name) {
      await git(
        called(project),
        '-c',
        'user.name=A',
        '-c',
        'user.email=a@example.org',
        'tag',
        '-m',
        name,
        name,
        'master',
      );
    },
  };
}

/** GitHub shows a review that was dismissed as such, in its place. */
function dismiss(pull: PullState): void {
  for (const review of pull.reviews) review.state = 'DISMISSED';
}

testReviewHost('GitHub', (t) => openReviewWorld(t));
testCycles('GitHub', { open: (t) => openReviewWorld(t, { mayPush: true }) });
const squashing = { methods: { merge: false, squash: true, rebase: false } };
testCycles('GitHub, which merges by itself', { open: (t) => openReviewWorld(t, squashing) });
