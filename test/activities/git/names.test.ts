import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBranch, checkProject, checkRevision, repositoryPath } from '../../../activities/git/names.ts';

const hostile = [
  ...['', '../etc', 'a/../b', '/etc/passwd', 'a//b', 'a/', '-rf', '--upload-pack=x', 'a b', 'a\nb', 'a\0b'],
  ...['a"b', "a'b", 'a;b', '$(id)', 'a`id`', 'a\\b', 'a*', 'ä', 'x'.repeat(300)],
];
for (const name of hostile) {
  test(`${JSON.stringify(name.slice(0, 30))} is neither a project nor a branch`, () => {
    assert.throws(() => checkProject(name), { name: 'BadName' });
    assert.throws(() => checkBranch(name), { name: 'BadName' });
    assert.throws(() => repositoryPath('/srv', name), { name: 'BadName' });
    assert.throws(() => checkRevision(name), { name: 'BadName' });
  });
}

test('projects and branches as distributions name them are fine', () => {
  for (const name of ['tinycdb', 'libsigc++-2.0', 'group/sub/project', 'a.b_c']) checkProject(name);
  for (const name of ['master', 'debian/latest', 'release-1.2', '_x', 'user@host']) checkBranch(name);
});

test('a branch is stricter than a ref where a file name would suffer', () => {
  for (const name of ['a..b', 'a.lock', 'a/b.lock/c', 'a.', '.a']) {
    assert.throws(() => checkBranch(name), { name: 'BadName' }, name);
  }
  assert.throws(() => checkProject('a.git'), { name: 'BadName' });
});
