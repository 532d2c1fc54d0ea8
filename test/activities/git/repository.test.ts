import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportTree } from '../../../activities/git/export.ts';
import { git } from '../../../activities/git/git.ts';
import { isAncestor, knowAncestor, readRefs, submit, updateRefs } from '../../../activities/git/refs.ts';
import { changedFiles, readRoot, readTree } from '../../../activities/git/tree.ts';
import { must } from '../../../activities/process/run.ts';
import { bareRepository, makeCommit, scratch, setBranch } from './repository.ts';

const strange = ['with space', 'quo"te', "apo'strophe", '-dash', 'new\nline', 'ünïcode', 'a;b$(c)'];

test('readTree reads regular files below the given paths, whatever they are called', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const files = Object.fromEntries(strange.map((name) => [`zuul.d/${name}.yaml`, `${name}\n`]));
  const commit = await makeCommit(repo, { files: { ...files, '.zuul.yaml': 'top: ü\n', other: 'no\n' } });
  const read = await readTree(repo, commit, ['.zuul.yaml', 'zuul.d', 'zuul.yaml']);
  const found = Object.fromEntries(read.map(({ path, text }) => [path, text]));
  assert.deepEqual(found, { ...files, '.zuul.yaml': 'top: ü\n' });
});

test('readRoot has the mode and id of every entry', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const files = Object.fromEntries(['-dash', 'a b', 'dir/x', "quo'te", 'zuul.d/y'].map((name) => [name, `${name}\n`]));
  const commit = await makeCommit(repo, { files });
  const listed = (await git(repo, ['ls-tree', '-z', commit])).split('\0').filter(Boolean);
  const expected = listed.map((line) => {
    const [, mode, id, name] = /^0*(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return [name, `${mode} ${id}`];
  });
  assert.equal(expected.length, 5);
  assert.deepEqual([...(await readRoot(repo, commit))], expected);
});

test('changedFiles has old and new names, and all of a first commit', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const first = await makeCommit(repo, { files: { a: '1\n', 'dir/b c': '2\n' } });
  const second = await makeCommit(repo, { parents: [first], files: { a: null, 'new\nname': '1\n' } });
  assert.deepEqual(await changedFiles(repo, null, first), ['a', 'dir/b c']);
  assert.deepEqual(await changedFiles(repo, first, second), ['a', 'new\nname']);
});

test('exportTree checks out files, history and tags, and shares nothing', async (t) => {
  const directory = await scratch(t);
  const repo = await bareRepository(directory, 'p');
  const first = await makeCommit(repo, { files: { a: '1\n' }, message: 'One\n' });
  await git(repo, ['tag', 'v1', first]);
  const files = Object.fromEntries(strange.map((name) => [name, `${name}\n`]));
  // Nothing names the second commit: a speculative state is exported as well.
  const second = await makeCommit(repo, { parents: [first], files, message: 'Two\n' });
  const copy = join(directory, 'copy');
  await exportTree({ repo, commit: second, branch: 'debian/latest', directory: copy });
  for (const name of strange) assert.equal(await readFile(join(copy, name), 'utf8'), `${name}\n`);
  const ask = (...args: string[]) => must('git', ['-C', copy, ...args]).then(({ stdout }) => stdout.trim());
  assert.equal(await ask('rev-parse', 'HEAD'), second);
  assert.equal(await ask('rev-list', '--count', 'HEAD'), '2');
  assert.match(await ask('describe', '--tags'), /^v1-1-g/);
  assert.equal(await ask('symbolic-ref', '--short', 'HEAD'), 'debian/latest');
  assert.equal(await ask('status', '--porcelain'), '');
  assert.equal(await ask('remote'), '');
});

test('exportTree writes links as they are, and readTree follows none', async (t) => {
  const directory = await scratch(t);
  const repo = await bareRepository(directory, 'p');
  const blob = (await git(repo, ['hash-object', '-w', '--stdin'], { input: '/etc' })).trim();
  const tree = (await git(repo, ['mktree'], { input: `120000 blob ${blob}\tlink\n` })).trim();
  const env = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a' };
  const commit = (await git(repo, ['commit-tree', tree, '-m', 'link'], { env })).trim();
  const copy = join(directory, 'copy');
  await mkdir(copy);
  await exportTree({ repo, commit, branch: 'master', directory: copy });
  assert.equal(await readlink(join(copy, 'link')), '/etc');
  assert.deepEqual(await readTree(repo, commit, ['link']), []);
});

test('refs move all or none', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const one = await makeCommit(repo, { files: { a: '1' } });
  const two = await makeCommit(repo, { parents: [one], files: { a: '2' } });
  await setBranch(repo, 'master', one);
  const moved = await updateRefs(repo, [
    { ref: 'refs/heads/other', from: null, to: two },
    { ref: 'refs/heads/master', from: two, to: one },
  ]);
  assert.equal(moved, false);
  assert.deepEqual([...(await readRefs(repo, 'refs/heads'))], [['refs/heads/master', one]]);
});

test('moves that are asked for at once follow each other, whatever becomes of the others', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const one = await makeCommit(repo, { files: { a: '1' } });
  const two = await makeCommit(repo, { parents: [one], files: { a: '2' } });
  const refs = Array.from({ length: 12 }, (_, index) => `refs/heads/b${index}`);
  const moved = await Promise.all(
    refs.map((ref, index) => updateRefs(repo, [{ ref, from: index % 4 === 3 ? one : null, to: two }])),
  );
  assert.deepEqual(
    moved,
    refs.map((_, index) => index % 4 !== 3),
  );
  assert.deepEqual(
    [...(await readRefs(repo, 'refs/heads')).keys()].sort(),
    refs.filter((_, index) => index % 4 !== 3).sort(),
  );
});

test('refs go on moving after the process that moves them was killed', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const one = await makeCommit(repo, { files: { a: '1' } });
  const move = (ref: string) => updateRefs(repo, [{ ref, from: null, to: one }]);
  assert.equal(await move('refs/heads/a'), true);
  const pid = await processOf(repo, 'update-ref');
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
  while ((await processOf(repo, 'update-ref')) !== undefined) await sleep(5);
  assert.equal(await move('refs/heads/b'), true);
  assert.deepEqual([...(await readRefs(repo, 'refs/heads')).keys()], ['refs/heads/a', 'refs/heads/b']);
});

/** The git that serves a repository with a command, if there is one. */
async function processOf(repo: string, command: string): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    const line = await readFile(join('/proc', name, 'cmdline'), 'utf8').catch(() => '');
    if (line.includes(`--git-dir=${repo}\0${command}`)) return Number(name);
  }
  return undefined;
}

test('a branch moves only from where it is expected, and a repetition is known', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const one = await makeCommit(repo, { files: { a: '1' } });
  const two = await makeCommit(repo, { parents: [one], files: { a: '2' } });
  const other = await makeCommit(repo, { parents: [one], files: { a: '3' } });
  await setBranch(repo, 'master', one);
  assert.deepEqual(await submit(repo, { branch: 'master', expected: one, commit: two }), { kind: 'merged' });
  assert.deepEqual(await submit(repo, { branch: 'master', expected: one, commit: two }), { kind: 'already-merged' });
  assert.deepEqual(await submit(repo, { branch: 'master', expected: one, commit: other }), { kind: 'moved', tip: two });
});

test('a lock that a killed git left long ago is taken away; a fresh one is respected', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const one = await makeCommit(repo, { files: { a: '1' } });
  await setBranch(repo, 'master', one);
  const lock = join(repo, 'refs/heads/master.lock');
  const update = [{ ref: 'refs/heads/master', from: one, to: await makeCommit(repo, { parents: [one], files: {} }) }];
  await writeFile(lock, '');
  assert.equal(await updateRefs(repo, update), false);
  assert.equal(await updateRefs(repo, update), false);
  await utimes(lock, 1_700_000_000, 1_700_000_000);
  assert.equal(await updateRefs(repo, update), false);
  assert.equal(await updateRefs(repo, update), true);
});

test('R15: a repository is made with the hash and the refs that we read ourselves, whatever Git makes by itself', async (t) => {
  const directory = await scratch(t);
  const later = join(directory, 'git');
  await writeFile(later, '#!/bin/sh\necho "$GIT_DEFAULT_HASH $GIT_DEFAULT_REF_FORMAT"\n', { mode: 0o755 });
  assert.equal(await git('any', ['init'], { env: { PATH: directory } }), 'sha1 files\n');
});

test('what stands on what is known to stand on a commit needs no question to git', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const first = await makeCommit(repo, { files: { a: '1' } });
  const second = await makeCommit(repo, { parents: [first], files: { a: '2' } });
  const aside = await makeCommit(repo, { parents: [first], files: { a: '3' } });
  assert.equal(await isAncestor(repo, first, second), true);
  // Of commits that git does not have: it would refuse to compare them.
  const [third = '', fourth = ''] = ['3', '4'].map((digit) => digit.repeat(40));
  knowAncestor(repo, { older: second, newer: third, is: true });
  knowAncestor(repo, { older: third, newer: fourth, is: true });
  assert.equal(await isAncestor(repo, first, fourth), true);
  // That one of them does not have it behind it says nothing of the others.
  assert.equal(await isAncestor(repo, aside, second), false);
  await assert.rejects(isAncestor(repo, aside, fourth), /cannot compare/);
});
