import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { mergeAttributes } from '../../../activities/git/attributes.ts';
import { git } from '../../../activities/git/git.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import { requireModest } from '../../../activities/git/measure.ts';
import { openMergeView } from '../../../activities/git/merge-view.ts';
import { readObjects } from '../../../activities/git/objects.ts';
import { bareRepository, makeCommit, scratch } from './repository.ts';

test('R15: an object that is larger than memory should hold is refused; others are answered', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const store = async (input: string) => (await git(repo, ['hash-object', '-w', '--stdin'], { input })).trim();
  const text = 'a'.repeat(300_000);
  const [small, middle, large] = [await store('small\n'), await store(text), await store('0'.repeat(65 * 1024 ** 2))];
  const asked = [small, large, middle, '0'.repeat(40), large, small];
  const found = await Promise.allSettled(asked.map(async (id) => (await readObjects(repo, [id]))[0]));
  const said = found.map((one) => {
    return one.status === 'rejected' ? String(one.reason) : (one.value?.content.length ?? null);
  });
  assert.match(String(said[1]), /has 68157440 bytes/);
  assert.match(String(said[4]), /are not read into memory/);
  assert.deepEqual([said[0], said[2], said[3], said[5]], [6, text.length, null, 6]);
});

test('R15: attributes that would make git write without end are left out, and large files of them refused', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const tree = async (files: Readonly<Record<string, string>>) => `${await makeCommit(repo, { files })}^{tree}`;
  const read = async (files: Readonly<Record<string, string>>) => {
    return mergeAttributes(repo, (await git(repo, ['rev-parse', await tree(files)])).trim());
  };
  assert.equal(
    await read({ '.gitattributes': 'a conflict-marker-size=32 merge=union\n' }),
    'a conflict-marker-size=32 merge=union\n',
  );
  assert.equal(await read({ '.gitattributes': 'a conflict-marker-size=900 merge=union\n' }), 'a merge=union\n');
  await assert.rejects(read({ 'd/.gitattributes': 'x\n'.repeat(600_000) }), /d\/\.gitattributes is larger than/);
});

test('R15: what would be too much to check out is refused before it is', async (t) => {
  const repo = await bareRepository(await scratch(t), 'p');
  const blob = (await git(repo, ['hash-object', '-w', '--stdin'], { input: 'x\n' })).trim();
  const nest = async (lines: string) => (await git(repo, ['mktree'], { input: lines })).trim();
  let tree = await nest(`100644 blob ${blob}\tf\n120000 blob ${blob}\tl\n`);
  for (let depth = 0; depth < 5; depth++) {
    tree = await nest(Array.from({ length: 10 }, (_, index) => `040000 tree ${tree}\t${index}\n`).join(''));
  }
  const commit = (
    await git(repo, ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit-tree', tree], { input: 'm\n' })
  ).trim();
  await requireModest(repo, [commit], { files: 200_000, bytes: 400_000 });
  await assert.rejects(
    requireModest(repo, [commit], { files: 199_999, bytes: 400_000 }),
    /200000 files of 400000 bytes/,
  );
  await assert.rejects(requireModest(repo, [commit], { files: 200_000, bytes: 399_999 }), /not checked out/);
});

test('R15: what merges by the attributes of a push have left is removed when nobody uses it', async (t) => {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'p');
  const commit = await makeCommit(repo, { files: { '.gitattributes': 'a merge=union\n' } });
  const tree = (await git(repo, ['rev-parse', `${commit}^{tree}`])).trim();
  const { repo: view } = await openMergeView(repo, tree);
  const left = () => readdir(join(repo, 'sluice-merge'));
  const expire = (days: number) =>
    createLocalGit(root).expire(['p'], { now: Date.now() + days * 86_400_000, dryRun: false });
  await expire(6);
  assert.deepEqual(await left(), [basename(view)]);
  await utimes(view, new Date(0), new Date(0));
  assert.deepEqual(await openMergeView(repo, tree).then(({ repo: again }) => again), view);
  await expire(6);
  assert.deepEqual(await left(), [basename(view)]);
  await expire(8);
  assert.deepEqual(await left(), []);
});
