import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { readBranch } from '../../../activities/git/refs.ts';
import { must } from '../../../activities/process/run.ts';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { createPeople } from '../../../activities/review/git/people.ts';
import { receive } from '../../../activities/review/git/receive/receive.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';
import { type ReviewWorld, testReviewHost } from './contract.ts';
import { testCycles } from './cycle.ts';
import { account, idFor, messageFor } from './developer.ts';

/** The contract is tested at the function that the hook calls; `push.test.ts` tests the way through git. */
async function openWorld(t: TestContext): Promise<ReviewWorld> {
  const root = join(await scratch(t), 'git');
  const settings = { root, connection: 'git', page: '' };
  const host = createGitHost(settings);
  const people = createPeople(settings);
  for (const project of ['alpha', 'beta']) {
    const repo = await bareRepository(root, project);
    await setBranch(repo, 'master', await makeCommit(repo, { files: { start: project } }));
  }
  const words = new Map<string, string>();
  const commitOf = (change: string) => host.readChange(change).then((found) => found?.ref ?? '');
  return {
    host,
    git: createLocalGit(root),
    async push({ project, file, content, amend, onTopOf, needs = [] }) {
      const repo = join(root, `${project}.git`);
      const parent = onTopOf === undefined ? await readBranch(repo, 'master') : await commitOf(onTopOf);
      const word = (amend === undefined ? undefined : words.get(amend)) ?? `word ${words.size}`;
      const message = messageFor(word, needs.map((name) => `Depends-On: ${name}\n`).join(''));
      const commit = await makeCommit(repo, { parents: [parent ?? ''], files: { [file]: content }, message });
      const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
      const receipt = await receive(settings, {
        project,
        commands,
        options: [],
        pusher: account('Ada'),
        remote: 'origin',
      });
      const [id] = receipt.changes;
      if (id === undefined) throw new Error(receipt.messages.join('\n'));
      words.set(id, word);
      return id;
    },
    vote: (change, label, value) => people.vote(account('Bob'), change, { label, value }),
    abandon: (change) => people.abandon(account('Bob'), change),
    restore: (change) => people.restore(account('Bob'), change),
    nameOf: ({ id, project }) => `git:${project}/${idFor(words.get(id) ?? '')}`,
    async moveBranch(project) {
      const repo = join(root, `${project}.git`);
      const tip = (await readBranch(repo, 'master')) ?? '';
      await setBranch(repo, 'master', await makeCommit(repo, { parents: [tip], files: { moved: '1' } }));
    },
    async tag(project, name) {
      const repo = join(root, `${project}.git`);
      const tagger = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
      await must('git', [`--git-dir=${repo}`, ...tagger, 'tag', '--annotate', '--message', name, name, 'master']);
    },
  };
}

testReviewHost('plain Git', openWorld);
testCycles('plain Git', { open: openWorld, modes: ['merge', 'rebase', 'cherry-pick', 'squash-merge'] });
