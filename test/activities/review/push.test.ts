import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { readRefs } from '../../../activities/git/refs.ts';
import { must } from '../../../activities/process/run.ts';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import type { HostSettings } from '../../../activities/review/git/client.ts';
import { createPeople } from '../../../activities/review/git/people.ts';
import { isOccurrenceId } from '../../../activities/review/port.ts';
import { gateActor } from '../../../pipelines/model/actor.ts';
import { scratch } from '../git/repository.ts';
import { account, gatedProject, idFor, messageFor, openDesk, overSsh } from './developer.ts';
import { testedRequest } from './tested.ts';

async function setup(t: TestContext, project = 'alpha') {
  const directory = await scratch(t);
  const data = join(directory, 'data');
  const path = await gatedProject(data, project);
  const settings: HostSettings = { root: join(data, 'git'), connection: 'git', page: '' };
  const desk = await openDesk(join(directory, 'desk'), path);
  const open = (name: string) => openDesk(join(directory, name), path, name);
  const host = createGitHost(settings);
  const submit = async (change: string) =>
    host.submit(gateActor, await testedRequest({ host, git: createLocalGit(settings.root) }, change, 'rebase'));
  return { directory, data, path, settings, desk, open, host, submit, people: createPeople(settings) };
}

test('a push makes a change, and the next push its next patch set', async (t) => {
  const { desk, host } = await setup(t);
  await desk.commit('a', '1', messageFor('a'));
  const first = await desk.push('refs/for/master');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stderr, /remote: Change 1, patch set 1 \(new\): Work on a/);
  assert.match(first.stderr, /HEAD -> refs\/changes\/01\/1\/1/);
  assert.match(first.stderr, /No server is running/);
  await desk.git('commit', '-q', '--amend', '-m', `Better\n\nChange-Id: ${idFor('a')}`);
  const second = await desk.push('refs/for/master');
  assert.match(second.stderr, /remote: Change 1, patch set 2: Better/);
  const change = await host.readChange(idFor('a'));
  assert.equal(change?.ref, 'refs/changes/01/1/2');
  assert.equal(await desk.git('rev-parse', 'HEAD'), (await desk.git('ls-remote', 'origin', change.ref)).split('\t')[0]);
});

test('a push without Change-Id is refused with the fix, and the fix works as it is printed', async (t) => {
  const { desk, host } = await setup(t);
  await desk.commit('a', '1', 'Add a');
  const refused = await desk.push('refs/for/master');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /\(Add a\) has no Change-Id line/);
  const fix = [...refused.stderr.matchAll(/^remote: {3}(git .*?) *$/gm)].map((match) => match[1] ?? '');
  assert.equal(fix.length, 2, refused.stderr);
  await writeFile(join(desk.directory, '../fix.sh'), `set -e\n${fix.join('\n')}\n`);
  await desk.git('-c', `alias.fix=!sh ../fix.sh`, 'fix');
  assert.equal((await desk.push('refs/for/master')).code, 0);
  assert.equal((await host.listOpenChanges()).length, 1);
  const before = await desk.git('log', '-1', '--format=%(trailers:key=Change-Id)');
  await desk.git('commit', '-q', '--amend', '--no-edit');
  assert.equal(await desk.git('log', '-1', '--format=%(trailers:key=Change-Id)'), before, 'amending keeps it');
});

test('several commits are several changes with parents', async (t) => {
  const { desk, host } = await setup(t);
  for (const word of ['a', 'b', 'c']) await desk.commit(word, '1', messageFor(word));
  assert.equal((await desk.push('refs/for/master')).code, 0);
  const changes = await host.listOpenChanges();
  assert.deepEqual(
    changes.map(({ id, parents }) => [id, ...parents]),
    [['git:1'], ['git:2', 'git:1'], ['git:3', 'git:2']],
  );
});

test('after the lower change is merged by rebase, the upper one can still be amended and merged', async (t) => {
  const { desk, submit, open } = await setup(t);
  const other = await open('Bob');
  await desk.commit('a', '1', messageFor('a'));
  await desk.commit('b', '1', messageFor('b'));
  await desk.push('refs/for/master');
  await other.commit('c', '1', messageFor('c'));
  await other.push('refs/for/master');
  for (const id of ['git:3', 'git:1']) assert.equal((await submit(id)).kind, 'merged');
  await desk.commit('b', '2', 'scratch');
  await desk.git('reset', '-q', '--soft', 'HEAD~2');
  await desk.git('commit', '-q', '-m', messageFor('b'));
  const pushed = await desk.push('refs/for/master');
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.equal((await submit('git:2')).kind, 'merged');
  await desk.git('fetch', '-q');
  assert.deepEqual((await desk.git('ls-tree', '--name-only', 'origin/master')).split('\n'), ['a', 'b', 'c', 'start']);
  assert.equal(await desk.git('rev-list', '--count', 'origin/master'), '4');
});

const refusals: [says: string, words: RegExp, act: (world: Awaited<ReturnType<typeof setup>>) => Promise<string>][] = [
  [
    'the same commit again',
    /no new changes: .* is known already|no new changes/,
    async ({ desk }) => {
      await desk.commit('a', '1', messageFor('a'));
      await desk.push('refs/for/master');
      return 'refs/for/master';
    },
  ],
  [
    'the same content in another commit',
    /no new changes/,
    async ({ desk }) => {
      await desk.commit('a', '1', messageFor('a'));
      await desk.push('refs/for/master');
      await desk.git('commit', '-q', '--amend', '--no-edit', '--date=2001-01-01T00:00:00');
      return 'refs/for/master';
    },
  ],
  ['what the branch has already', /no new changes/, async () => 'refs/for/master'],
  [
    'an abandoned change',
    /change 1 is abandoned: sluice restore 1/,
    async ({ desk, people }) => {
      await desk.commit('a', '1', messageFor('a'));
      await desk.push('refs/for/master');
      await people.abandon(account('Ada'), '1');
      await desk.git('commit', '-q', '--amend', '-m', `Other\n\nChange-Id: ${idFor('a')}`);
      return 'refs/for/master';
    },
  ],
  [
    'two commits with one Change-Id',
    /have the same Change-Id/,
    async ({ desk }) => {
      await desk.commit('a', '1', messageFor('a'));
      await desk.commit('b', '1', messageFor('a'));
      return 'refs/for/master';
    },
  ],
  [
    'a Change-Id of another form',
    /not I and 40 hexadecimal digits/,
    async ({ desk }) => {
      await desk.commit('a', '1', 'A\n\nChange-Id: ../../etc\n');
      return 'refs/for/master';
    },
  ],
  ['a branch that is not there', /there is no branch stable; there are: master/, commitFor('refs/for/stable')],
  ['a branch with a hostile name', /cannot be a branch here/, commitFor('refs/for/"$(id)"')],
  ['a branch that begins with a dash', /cannot be a branch here/, commitFor('refs/for/-rf')],
  ['an option that is not known', /"reviewer=bob" is no option/, commitFor('refs/for/master%reviewer=bob')],
  ['a branch directly', /master moves through the gate only.*HEAD:refs\/for\/master/s, commitFor('refs/heads/master')],
  ['W12: a tag', /a tag is no change.*sluice project import alpha DIRECTORY-OR-URL/s, commitFor('refs/tags/v1')],
  ['B3: a new branch', /new branch.*sluice branch add alpha stable --from/s, commitFor('refs/heads/stable')],
  ['a ref of the host', /refs\/changes\/01\/1\/1 is kept by Sluice/, commitFor('refs/changes/01/1/1')],
  ['a hidden ref', /deny updating a hidden ref/, commitFor('refs/sluice/ids/x')],
];
for (const [says, words, act] of refusals) {
  test(`refused: ${says}`, async (t) => {
    const world = await setup(t);
    const target = await act(world);
    const before = await readRefs(world.path, 'refs');
    const pushed = await world.desk.push(target);
    assert.notEqual(pushed.code, 0, pushed.stderr);
    assert.match(pushed.stderr, words);
    assert.deepEqual(await readRefs(world.path, 'refs'), before, 'nothing has changed');
  });
}

function commitFor(target: string) {
  return async ({ desk }: Awaited<ReturnType<typeof setup>>) => {
    await desk.commit('a', '1', messageFor('a'));
    return target;
  };
}

test('topic and work in progress are set by ref options and push options', async (t) => {
  const { desk, host } = await setup(t);
  await desk.commit('a', '1', messageFor('a'));
  assert.equal((await desk.push('refs/for/master%topic=fix/1,wip')).code, 0);
  const change = await host.readChange('1');
  assert.deepEqual([change?.topic, change?.wip, change?.mergeable], ['fix/1', true, false]);
  await desk.commit('a', '2', messageFor('b'));
  const pushed = await desk.push('refs/for/master', '-o', 'ready', '-o', 'topic=two');
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.equal((await host.readChange('2'))?.topic, 'two');
});

test('Depends-On: by Change-Id and number, in any case, unknown ones and cycles included', async (t) => {
  const { desk, host } = await setup(t);
  const unknown = `git:beta/${idFor('nowhere')}`;
  await desk.commit('a', '1', messageFor('a', `Depends-On: git:alpha/${idFor('b')}\n`));
  const first = await desk.push('refs/for/master');
  assert.match(first.stderr, new RegExp(`warning: depends on git:alpha/${idFor('b')}, which is not known`));
  assert.deepEqual((await host.readChange('1'))?.dependsOn, [`git:alpha/${idFor('b')}`]);
  await desk.git('reset', '-q', '--hard', 'origin/master');
  await desk.commit('b', '1', messageFor('b', `depends-on: git:alpha/1\nDEPENDS-ON: ${unknown}\n`));
  await desk.push('refs/for/master');
  assert.deepEqual((await host.readChange('2'))?.dependsOn, ['git:1', unknown]);
  assert.deepEqual((await host.readChange('1'))?.dependsOn, ['git:2'], 'known now, and a cycle');
});

test('a vote note is a vote of who pushed it, on the current patch set only', async (t) => {
  const { desk, host, open } = await setup(t);
  await desk.commit('a', '1', messageFor('a'));
  await desk.push('refs/for/master');
  const bob = await open('Bob');
  await bob.git('fetch', '-q', 'origin', 'refs/changes/01/1/1');
  await bob.git('notes', '--ref=votes', 'add', '-m', 'Approved: 1\nlooks good', 'FETCH_HEAD');
  const pushed = await bob.tryGit('push', 'origin', 'refs/notes/votes');
  assert.match(pushed.stderr, /Change 1: Approved 1 by Bob/);
  const votes = (await host.readChange('1'))?.votes.map(({ label, value, by, email }) => [label, value, by, email]);
  assert.deepEqual(votes, [['Approved', 1, 'Bob', '']]);

  const carol = await open('Carol');
  await carol.git('fetch', '-q', 'origin', 'refs/notes/votes:refs/notes/votes', 'refs/changes/01/1/1');
  await carol.git('notes', '--ref=votes', 'append', '-m', 'Approved: -1', 'FETCH_HEAD^0');
  await carol.git('notes', '--ref=votes', 'list');
  const shas = (await carol.git('ls-remote', 'origin', 'refs/changes/01/1/1')).split('\t')[0] ?? '';
  await carol.git('notes', '--ref=votes', 'append', '-m', 'Approved: -1', shas);
  await carol.tryGit('push', 'origin', 'refs/notes/votes');
  const both = (await host.readChange('1'))?.votes.map(({ value, by }) => [by, value]);
  assert.deepEqual(both, [
    ['Bob', 1],
    ['Carol', -1],
  ]);

  await bob.git('notes', '--ref=votes', 'append', '-m', 'Approved: 2', shas);
  const stale = await bob.tryGit('push', '--force', 'origin', 'refs/notes/votes');
  assert.match(stale.stderr, /others have voted meanwhile/);
});

test('S3: a vote is of the account that pushes, whatever the note and the environment say', async (t) => {
  const { desk, host, people } = await setup(t);
  await desk.commit('a', '1', messageFor('a'));
  await desk.push('refs/for/master');
  const note = async (author: string, env: Readonly<Record<string, string>>) => {
    const named = {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: `${author}@example.org`,
      GIT_CONFIG_GLOBAL: '/dev/null',
    };
    const committer = { GIT_COMMITTER_NAME: author, GIT_COMMITTER_EMAIL: `${author}@example.org` };
    const options = { cwd: desk.directory, env: { ...named, ...committer, ...env } };
    await must('git', ['notes', '--ref=votes', 'append', '-m', 'Approved: 1', 'HEAD'], options);
    return must('git', ['push', 'origin', 'refs/notes/votes'], options);
  };
  const voters = async () => (await people.read('1')).votes.map(({ by }) => by);
  const me = userInfo().username;
  const said = await note('Boss', { SLUICE_USER: 'boss', REMOTE_USER: 'boss' });
  assert.match(said.stderr, new RegExp(`Change 1: Approved 1 by ${me}`));
  assert.deepEqual(await voters(), [me]);
  await note('Boss', overSsh('carol'));
  assert.deepEqual(await voters(), [me, 'carol']);
  assert.equal((await host.readChange('1'))?.owner, 'Ada');
});

test('the server is told with the token, and a push does not wait for one that does not answer', async (t) => {
  const { desk, data } = await setup(t);
  const notices: { readonly token: string | undefined; readonly body: string }[] = [];
  let answering = true;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      notices.push({ token: request.headers.authorization, body: Buffer.concat(chunks).toString() });
      if (answering) response.writeHead(202).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const stack = { url, temporal: '', namespace: '', temporalUi: '' };
  await writeFile(join(data, 'holder.json'), JSON.stringify({ pid: process.pid, command: 'sluice up', stack }));
  await writeFile(join(data, 'token'), 'secret\n');

  await desk.commit('a', '1', messageFor('a'));
  const told = await desk.push('refs/for/master');
  assert.match(told.stderr, new RegExp(`remote: +${url}/change/git:1`));
  const [{ token, body } = { token: '', body: '{}' }, ...more] = notices;
  const { id, ...notice } = JSON.parse(body);
  assert.deepEqual(notice, { connection: 'git', project: 'alpha', changes: ['git:1'] });
  assert.deepEqual([token, isOccurrenceId(id), more], ['Bearer secret', true, []]);
  assert.ok(!told.stderr.includes('secret'));

  answering = false;
  await desk.commit('b', '1', messageFor('b'));
  const untold = await desk.push('refs/for/master');
  assert.equal(untold.code, 0);
  assert.match(untold.stderr, /The server does not answer: it will find this push by itself/);
});

test('a direct push is allowed where the configuration allows it', async (t) => {
  const directory = await scratch(t);
  const path = await gatedProject(join(directory, 'data'), 'group/alpha', true);
  const desk = await openDesk(join(directory, 'desk'), path);
  await desk.commit('a', '1', 'No footer needed');
  const pushed = await desk.push('refs/heads/master');
  assert.equal(pushed.code, 0, pushed.stderr);
});

test('B3: a push removes neither a branch nor a tag', async (t) => {
  const { desk, path } = await setup(t);
  const refs = ['refs/heads/stable', 'refs/tags/v1'];
  for (const ref of refs) await git(path, ['update-ref', ref, 'refs/heads/master']);
  for (const ref of refs) {
    const removed = await desk.tryGit('push', 'origin', `:${ref}`);
    assert.match(removed.stderr, new RegExp(`${ref} is not removed by a push`));
    assert.ok((await readRefs(path, 'refs')).has(ref));
  }
  const current = await desk.tryGit('push', 'origin', ':refs/heads/master');
  assert.match(current.stderr, /refusing to delete the current branch/);
  assert.doesNotMatch(current.stderr, /to allow deleting/);
});

for (const directPush of [false, true]) {
  const says = directPush ? ', also where branches may be pushed' : '';
  test(`H4: an atomic push of changes with anything else is refused as a whole${says}`, async (t) => {
    const directory = await scratch(t);
    const path = await gatedProject(join(directory, 'data'), 'alpha', directPush);
    const desk = await openDesk(join(directory, 'desk'), path);
    await desk.commit('a', '1', messageFor('a'));
    const before = await readRefs(path, 'refs');
    const both = ['HEAD:refs/for/master', 'HEAD:refs/heads/master'];
    const refused = await desk.tryGit('push', '--atomic', 'origin', ...both);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /an atomic push brings changes and votes only: push them without refs\/heads\/master/);
    assert.deepEqual(await readRefs(path, 'refs'), before, 'nothing has changed');
    assert.deepEqual(
      (await readdir(path)).filter((name) => name.startsWith('sluice-push')),
      [],
    );

    const alone = await desk.tryGit('push', '--atomic', 'origin', 'HEAD:refs/for/master');
    assert.equal(alone.code, 0, alone.stderr);
    await desk.git('commit', '-q', '--amend', '-m', `Better\n\nChange-Id: ${idFor('a')}`);
    const loose = await desk.tryGit('push', 'origin', ...both);
    assert.equal(loose.code === 0, directPush, loose.stderr);
    assert.match(loose.stderr, /Change 1, patch set 2/, 'each for itself');
  });
}

test('files with hostile names are listed as they are', async (t) => {
  const { desk, host, path } = await setup(t);
  const names = ['-rf', 'new\nline', 'quo"te', 'with space', '$(id)', 'ä'];
  for (const name of names) await desk.commit(name, '1', 'scratch');
  await desk.git('reset', '-q', '--soft', 'origin/master');
  await mkdir(join(desk.directory, '..', 'x'), { recursive: true });
  await desk.commit('plain', '1', messageFor('hostile'));
  assert.equal((await desk.push('refs/for/master')).code, 0);
  assert.deepEqual([...((await host.readChange('1'))?.files ?? [])].sort(), [...names, 'plain'].sort());
  assert.equal(await git(path, ['fsck', '--no-dangling', '--no-progress']), '');
});
