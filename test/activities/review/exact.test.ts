import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import { readBranch } from '../../../activities/git/refs.ts';
import { land } from '../../../activities/review/exact.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

test('I9: a tested commit lands where it was tested, and on no branch that was forced back, or is gone', async (t) => {
  const root = join(await scratch(t), 'git');
  const repo = await bareRepository(root, 'alpha');
  const first = await makeCommit(repo, { files: { a: '1' } });
  const base = await makeCommit(repo, { parents: [first], files: { secret: '1' } });
  const commit = await makeCommit(repo, { parents: [base], files: { b: '1' } });
  const other = await makeCommit(repo, { parents: [first], files: { c: '1' } });
  const git = createLocalGit(root);
  const place = { project: 'alpha', branch: 'master' };
  const { tree } = await git.resolve('alpha', commit);
  const wanted = { ...place, tested: { ...place, commit, tree }, base, mayPush: true };
  for (const [at, expected] of [
    [first, 'moved'],
    [other, 'moved'],
    [base, 'there'],
    [commit, 'there'],
  ] as const) {
    await setBranch(repo, 'master', at);
    assert.equal(await land(git, wanted), expected);
    assert.equal(await readBranch(repo, 'master'), expected === 'there' ? commit : at);
  }
  assert.equal(await land(git, { ...wanted, branch: 'gone' }), 'moved');
});
