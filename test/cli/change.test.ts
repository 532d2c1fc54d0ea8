import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createGitHost } from '../../activities/review/git/adapter.ts';
import { createPeople } from '../../activities/review/git/people.ts';
import { receive } from '../../activities/review/git/receive/receive.ts';
import { gateActor } from '../../pipelines/model/actor.ts';
import type { ChangeShown, Excuses } from '../../server/api/types.ts';
import { bareRepository, makeCommit, setBranch } from '../activities/git/repository.ts';
import { account, messageFor } from '../activities/review/developer.ts';
import { aBuild, anItem, aQueue } from '../server/records.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt } from './run.ts';

let server: TestServer;
let commit: string;
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-change-'));
  const settings = { root, connection: 'git', page: '' };
  server = await startServer({ changes: createPeople(settings) });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
  const repo = await bareRepository(root, 'tinycdb');
  const base = await makeCommit(repo, { files: { start: '' } });
  await setBranch(repo, 'master', base);
  commit = await makeCommit(repo, { parents: [base], files: { 'src/a.c': '1' }, message: messageFor('a') });
  const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
  await receive(settings, { project: 'tinycdb', commands, options: [], pusher: account('Ada'), remote: 'origin' });
  const host = createGitHost(settings);
  const said = { change: 'git:1', patchset: 1, body: { Verified: -1 } };
  const conflict = 'Merge Failed.\n\nPlease rebase:\n```\nmake `it`\n```\n\ngit:1: conflicts in src/a.c';
  const about = { pipeline: 'check', action: 'merge-conflict' };
  await host.report(gateActor, { ...said, key: 'one', message: conflict, about });
  await server.report.recordBuild(aBuild({ change: 'git:1', pipeline: 'check' }));
  const changes = [{ ...anItem().changes[0], id: 'git:9', project: 'tinycdb', branch: 'master' }] as never;
  await server.report.projectQueue(aQueue({ items: [anItem({ changes })] }));
});
after(async () => {
  await server.stop();
  await rm(root, { recursive: true });
});

const run = (...args: readonly string[]) => runAt(server, args);

for (const name of ['1', 'git:1', 'tinycdb/1']) {
  test(`B1: change show ${name} tells what happened, why, and what can be done`, async () => {
    const { stdout, stderr, code } = await run('change', 'show', name);
    assert.equal(code, 0, stderr);
    for (const part of [
      /^git:1,1 /,
      /Open; check could not merge it\./,
      /Why\n {2}check: it has a merge conflict: git:1: conflicts in src\/a\.c/,
      /What you can do\n {2}Rebase it: .*git pull --rebase origin master/,
      /Votes\n {2}Verified -1 by sluice/,
      /Files\n {2}src\/a\.c/,
      /Builds\n {2}✓ b1 {2}check deb-build/,
      /sluice \(check\): merge-conflict, Verified -1\n {4}Merge Failed\./,
      /Please rebase:\n {4}```\n {4}make `it`\n {4}```\n/,
      /Fetch it\n {2}git fetch origin refs\/changes\/01\/1\/1 && git switch --detach FETCH_HEAD/,
    ])
      assert.match(stdout, part);
    assert.ok(stdout.includes(commit.slice(0, 12)));
  });
}

test('B1: change show --json is the whole of it, without addresses of people', async () => {
  const { stdout } = await run('change', 'show', '1', '--json');
  const shown = JSON.parse(stdout) as ChangeShown;
  assert.deepEqual([shown.commit, shown.change.id, shown.places], [commit, 'git:1', []]);
  assert.match(shown.story.why.join(), /conflicts in src\/a\.c/);
  assert.doesNotMatch(stdout, /@localhost/);
});

test('B1: an unknown change is an error', async () => {
  const { stderr, code } = await run('change', 'show', '77');
  assert.deepEqual([code, /there is no change "77"/.test(stderr)], [1, true]);
});

test('excuses tells of what is in queues, then of open changes that are in none, and of one that is named', async () => {
  const { stdout, stderr, code } = await run('excuses');
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'gate packages',
    '  git:9,1 tinycdb Fix a leak',
    '    In gate, alone in the queue packages: running.',
    '    waits for  gate: its merged state, which is being prepared.',
    '    next       Nothing: it goes on by itself.',
    '',
    'In no queue',
    '  git:1,1 tinycdb Work on a',
    '    Open; check could not merge it.',
    '    why        check: it has a merge conflict: git:1: conflicts in src/a.c',
    "    next       Rebase it: 'git pull --rebase origin master', solve the conflict, 'git push origin HEAD:refs/for/master'.",
  ]);
  const all = JSON.parse((await run('excuses', '--json')).stdout) as Excuses;
  const one = JSON.parse((await run('excuses', 'tinycdb/1', '--json')).stdout) as Excuses;
  assert.deepEqual([all.leftOut, all.unheard, one.excuses], [[], [], all.excuses.slice(1)]);
});

test('excuses: a change that is not there is an error, a limit that is no number bad usage', async () => {
  const { stderr, code } = await run('excuses', '77');
  assert.deepEqual([code, /there is no change "77"/.test(stderr)], [1, true]);
  assert.equal((await run('excuses', '--limit', 'many')).code, 2);
});

test('B1: the page of a change tells the same', async () => {
  const page = await (await fetch(`${server.url}/change/git:1`)).text();
  for (const words of [
    'check: it has a merge conflict: git:1: conflicts in src/a.c',
    'Verified -1 by sluice',
    'src/a.c',
  ])
    assert.ok(page.includes(words), words);
  assert.match(page, /<pre>git fetch origin refs\/changes\/01\/1\/1/);
});

test('B5: comment and recheck say something as the holder of the token, which pipelines can react to', async () => {
  assert.match((await run('comment', 'tinycdb/1', 'Looks fine')).stdout, /said/);
  assert.match((await run('recheck', '1')).stdout, /asked for another check/);
  const { happenings } = JSON.parse((await run('change', 'show', '1', '--json')).stdout);
  const said = happenings.slice(-2).map(({ by, text }: { by: string; text: string }) => [by, text]);
  assert.deepEqual(said, [
    ['ada', 'Looks fine'],
    ['ada', 'recheck'],
  ]);
  const empty = await run('comment', '1', ' ');
  assert.deepEqual([empty.code, /there is nothing to say/.test(empty.stderr)], [2, true]);
});
