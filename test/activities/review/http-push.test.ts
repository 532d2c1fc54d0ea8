import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { must } from '../../../activities/process/run.ts';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { scratch } from '../git/repository.ts';
import { gatedProject, messageFor, openDesk } from './developer.ts';
import { serve } from './http-backend.ts';

test('S3: somebody without a login may propose a change, and cannot vote', async (t) => {
  const directory = await scratch(t);
  const data = join(directory, 'data');
  const path = await gatedProject(data, 'alpha');
  await git(path, ['config', 'http.receivepack', 'true']);
  const desk = await openDesk(join(directory, 'desk'), path);
  await desk.git('remote', 'set-url', 'origin', `${await serve(t, join(data, 'git'), undefined)}/alpha.git`);
  await desk.commit('a', '1', messageFor('a'));
  const pushed = await desk.push('refs/for/master');
  assert.equal(pushed.code, 0, pushed.stderr);
  await desk.git('notes', '--ref=votes', 'add', '-m', 'Approved: 1', 'HEAD');
  const voted = await desk.tryGit('push', 'origin', 'refs/notes/votes');
  assert.notEqual(voted.code, 0);
  assert.match(voted.stderr, /somebody without an account may not vote/);
  const change = await createGitHost({ root: join(data, 'git'), connection: 'git', page: '' }).readChange('1');
  assert.deepEqual([change?.owner, change?.votes], ['anonymous', []]);
});

test('a push over HTTP belongs to the user that the web server names', async (t) => {
  const directory = await scratch(t);
  const data = join(directory, 'data');
  const path = await gatedProject(data, 'alpha');
  const url = `${await serve(t, join(data, 'git'), 'grace')}/alpha.git`;
  const desk = await openDesk(join(directory, 'desk'), path);
  await desk.git('remote', 'set-url', 'origin', url);
  await desk.commit('a', '1', 'No footer');
  const refused = await desk.push('refs/for/master');
  assert.match(refused.stderr, /git fetch -q origin refs\/tools\/commit-msg/, 'the fix names the remote, not a path');
  await desk.git('commit', '-q', '--amend', '-m', messageFor('a'));
  const pushed = await desk.push('refs/for/master', '-o', 'topic=web');
  assert.equal(pushed.code, 0, pushed.stderr);
  const host = createGitHost({ root: join(data, 'git'), connection: 'git', page: '' });
  const change = await host.readChange('1');
  assert.deepEqual([change?.owner, change?.topic], ['grace', 'web']);
  await desk.git('fetch', '-q', 'origin', 'refs/changes/01/1/1');
  await desk.git('notes', '--ref=votes', 'add', '-m', 'Approved: 1', 'FETCH_HEAD');
  await desk.git('push', '-q', 'origin', 'refs/notes/votes');
  assert.deepEqual(
    (await host.readChange('1'))?.votes.map(({ by }) => by),
    ['grace'],
  );
  const hidden = await must('git', ['ls-remote', url, 'refs/sluice/*']);
  assert.equal(hidden.stdout, '');
});
