import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { createPeople } from '../../../activities/review/git/people.ts';
import { receive } from '../../../activities/review/git/receive/receive.ts';
import { joinPeople } from '../../../activities/review/people.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';
import { account, idFor, messageFor } from './developer.ts';

test('R10: two connections share a directory, and each has the changes of its own projects alone', async (t) => {
  const root = join(await scratch(t), 'git');
  const owners: Readonly<Record<string, string>> = { alpha: 'git', beta: 'other' };
  const settings = ['git', 'other'].map((connection) => {
    return { root, connection, page: '', owns: (project: string) => owners[project] === connection };
  });
  for (const [index, project] of ['alpha', 'beta'].entries()) {
    const repo = await bareRepository(root, project);
    const base = await makeCommit(repo, { files: { start: '' } });
    await setBranch(repo, 'master', base);
    const commit = await makeCommit(repo, { parents: [base], files: { a: '1' }, message: messageFor('same') });
    const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
    const push = { project, commands, options: [], pusher: account('Ada'), remote: 'origin' };
    await receive(settings[index] ?? assert.fail(), push);
  }
  const hosts = settings.map((each) => createGitHost(each));
  const open = await Promise.all(hosts.map((host) => host.listOpenChanges()));
  assert.deepEqual(
    open.map((changes) => changes.map(({ id, project }) => `${id} ${project}`)),
    [['git:1 alpha'], ['other:2 beta']],
  );
  assert.equal(await hosts[0]?.readChange('2'), null);
  assert.equal(await hosts[0]?.readChange('git:2'), null);
  assert.deepEqual(await Promise.all(hosts.map((host) => host.branchTip('beta', 'master').then(Boolean))), [
    false,
    true,
  ]);

  const people = joinPeople(
    settings.map((each) => ({ name: each.connection, driver: 'git', people: createPeople(each) })),
  );
  assert.deepEqual(
    (await people.list({})).map(({ id }) => id),
    ['git:1', 'other:2'],
  );
  await people.vote(account('Bob'), '2', { label: 'Approved', value: 1 });
  assert.deepEqual(
    (await people.read('other:2')).votes.map(({ by }) => by),
    ['Bob'],
  );
  await assert.rejects(people.read(idFor('same')), /several changes: git:1, other:2; say which/);
  await assert.rejects(people.abandon(account('Bob'), '3'), /there is no change "3"/);
  assert.equal((await people.read('other:2,1')).id, 'other:2');
  await assert.rejects(people.abandon(account('Bob'), '2,3'), /^UnknownChange: other:2 is at patch set 1, not 3/);
  await assert.rejects(people.read('3,1'), /there is no change "3,1"/);
});
