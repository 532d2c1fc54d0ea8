import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLocalGit } from '../../../activities/git/local.ts';
import type { MergeMode } from '../../../activities/git/merge.ts';
import { readBranch } from '../../../activities/git/refs.ts';
import { noteTaken, watchBranch } from '../../../activities/git/taken.ts';
import { type Landing, land } from '../../../activities/review/exact.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

const place = { project: 'alpha', branch: 'master' };

/** A branch at `base` with two changes: one made on that, whose state is its own commit, and one made before. */
async function setup(t: TestContext) {
  const root = join(await scratch(t), 'git');
  const repo = await bareRepository(root, 'alpha');
  const first = await makeCommit(repo, { files: { a: '1' } });
  const base = await makeCommit(repo, { parents: [first], files: { secret: '1' } });
  const commit = await makeCommit(repo, { parents: [base], files: { b: '1' } });
  const other = await makeCommit(repo, { parents: [first], files: { c: '1' } });
  const merge = await makeCommit(repo, { parents: [base, other], files: { c: '1' } });
  const git = createLocalGit(root);
  const landing = async (made: string, head: string, mode?: MergeMode) => {
    const tested = { ...place, commit: made, tree: (await git.resolve('alpha', made)).tree };
    return { ...place, request: { tested, base, ...(mode && { mode }) }, head, mayPush: true };
  };
  const tryAt = async (at: string, wanted: Landing) => {
    await setBranch(repo, 'master', at);
    const answer = await land(git, wanted);
    assert.equal(await readBranch(repo, 'master'), answer === 'there' ? wanted.request.tested.commit : at);
    return typeof answer === 'string' ? answer : answer.kind;
  };
  return { repo, git, first, base, commit, other, merge, landing, tryAt };
}

test('I9: a tested commit lands where it was tested, and on no branch that was forced back, or is gone', async (t) => {
  const { git, first, base, commit, other, landing, tryAt } = await setup(t);
  const wanted = await landing(commit, commit, 'rebase');
  for (const [at, expected] of [
    [first, 'moved'],
    [other, 'moved'],
    [base, 'there'],
    [commit, 'there'],
  ] as const) {
    assert.equal(await tryAt(at, wanted), expected);
  }
  const tested = { ...wanted.request.tested, branch: 'gone' };
  const gone = await land(git, { ...wanted, branch: 'gone', request: { ...wanted.request, tested } });
  assert.deepEqual(gone, { kind: 'refused', reason: 'alpha has no branch gone any more' });
});

test('I9: what was taken from a branch comes back with no merge, also where the branch was written anew', async (t) => {
  const { first, base, commit, other, merge, landing, tryAt } = await setup(t);
  for (const mode of [undefined, 'merge', 'merge-resolve', 'squash-merge'] as const) {
    const on = await landing(commit, commit, mode);
    assert.equal(await tryAt(first, on), 'refused', `${mode}: tested again, it would bring it back`);
    assert.equal(await tryAt(other, on), 'refused', `${mode}, written anew`);
    assert.equal(await tryAt(base, on), 'there');
  }
  assert.equal(await tryAt(first, await landing(commit, commit, 'rebase')), 'moved', 'its own commit alone comes');
  // The tested state stands on the branch as it was written anew, and holds what was taken.
  const beside = await landing(merge, other, 'merge');
  assert.equal(await tryAt(other, beside), 'moved');
  assert.equal(await tryAt(first, beside), 'moved');
  assert.equal(await tryAt(base, beside), 'there');
});

test('I9: what was taken from a branch comes back by no later approval either', async (t) => {
  const { repo, git, first, base, commit, other, merge, landing, tryAt } = await setup(t);
  const unlike = await makeCommit(repo, { files: { d: '1' } });
  await watchBranch(repo, 'master', unlike);
  await setBranch(repo, 'master', base);
  await noteTaken(repo);
  // Both are tested anew, on what the branch is now.
  const tested = async (tip: string, head: string) => {
    const [result] = await git.merge({
      items: [{ key: 'a', base: null, changes: [{ id: 'a', ...place, commit: head, mode: 'merge' }] }],
    });
    // What is not tested any more may have been, before anybody noticed.
    const made = result?.kind === 'ready' ? (result.sources[0]?.commit ?? '') : head;
    const wanted = await landing(made, head, 'merge');
    return tryAt(tip, { ...wanted, request: { ...wanted.request, base: tip } });
  };
  await setBranch(repo, 'master', first);
  await noteTaken(repo);
  assert.equal(await tested(first, commit), 'refused');
  assert.equal(await tested(first, base), 'refused', 'what was taken itself is proposed');
  // Nor after our own merge of another change of its item.
  const next = await landing(commit, commit);
  assert.equal(await tryAt(first, { ...next, request: { ...next.request, onto: first } }), 'refused');
  const fine = await landing(merge, other);
  assert.equal(await tryAt(first, { ...fine, request: { ...fine.request, onto: first } }), 'open');
  assert.equal(await tested(first, other), 'there');
  // Whoever took it has given it back.
  await setBranch(repo, 'master', base);
  assert.equal(await tested(base, commit), 'there');
});
