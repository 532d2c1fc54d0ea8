import assert from 'node:assert/strict';
import { test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { type MergeMode, mergeOnto } from '../../../activities/git/merge.ts';
import { readCommits } from '../../../activities/git/objects.ts';
import { recordTools } from '../../../activities/process/timing.ts';
import { bareRepository, fileAt, makeCommit, scratch } from './repository.ts';

/** A branch that has moved on since a change of two commits was made, each in a file of its own. */
async function divergence(directory: string) {
  const repo = await bareRepository(directory, 'p');
  const base = await makeCommit(repo, { files: { shared: '1\n2\n3\n4\n5\n', old: 'old\n' }, message: 'Base\n' });
  const tip = await makeCommit(repo, { parents: [base], files: { shared: '1\n2\n3\n4\nfive\n' }, message: 'Tip\n' });
  const first = await makeCommit(repo, { parents: [base], files: { one: '1\n' }, message: 'First\n', author: 'Bob' });
  const second = await makeCommit(repo, {
    parents: [first],
    files: { shared: 'one\n2\n3\n4\n5\n' },
    message: 'Second\n',
  });
  return { repo, base, tip, first, second };
}

const modes: [says: string, mode: MergeMode, parents: number, subjects: string[]][] = [
  ['rebase brings each commit', 'rebase', 1, ['Base', 'First', 'Second', 'Tip']],
  ['cherry-pick brings each commit likewise', 'cherry-pick', 1, ['Base', 'First', 'Second', 'Tip']],
  ['squash-merge makes one commit', 'squash-merge', 1, ['Base', 'Second', 'Tip']],
  ['merge keeps the history', 'merge', 2, ['Base', 'First', 'Merge "Second"', 'Second', 'Tip']],
  ['merge-resolve merges likewise', 'merge-resolve', 2, ['Base', 'First', 'Merge "Second"', 'Second', 'Tip']],
];
for (const [says, mode, parents, subjects] of modes) {
  test(says, async (t) => {
    const { repo, tip, second } = await divergence(await scratch(t));
    const result = await mergeOnto(repo, tip, { commit: second, series: true, mode });
    assert.ok(result.kind === 'merged');
    assert.equal(await fileAt(repo, result.commit, 'shared'), 'one\n2\n3\n4\nfive\n');
    assert.equal(await fileAt(repo, result.commit, 'one'), '1\n');
    const log = await git(repo, ['log', '--format=%s', result.commit]);
    assert.deepEqual(log.trim().split('\n').sort(), subjects);
    assert.equal((await readCommits(repo, [result.commit]))[0]?.parents.length, parents);
    assert.deepEqual(await mergeOnto(repo, tip, { commit: second, series: true, mode }), result, 'repeatable');
  });
}

const apart: readonly [
  says: string,
  onto: 'base' | 'tip' | 'first' | 'second',
  change: 'first' | 'second',
  runs: number,
][] = [
  ['a change that was made from something older', 'tip', 'second', 1],
  ['a change that stands on it', 'base', 'first', 0],
  ['a change that stands on it with others', 'base', 'second', 2],
  ['a change that is part of it', 'second', 'first', 2],
  ['a change that it is', 'second', 'second', 2],
];
for (const [says, onto, change, runs] of apart) {
  test(`merge of ${says} onto a state runs git ${runs} times, and makes a commit only where it must`, async (t) => {
    const made = await divergence(await scratch(t));
    const [tip, commit] = [made[onto], made[change]];
    const { value, tools } = await recordTools(() => mergeOnto(made.repo, tip, { commit, mode: 'merge' }));
    assert.ok(value.kind === 'merged');
    assert.equal(tools.length, runs);
    const [found] = await readCommits(made.repo, [value.commit]);
    if (onto === 'tip') assert.deepEqual(found?.parents, [tip, commit]);
    else assert.equal(value.commit, onto === 'base' ? commit : tip);
  });
}

test('a change that is no series is one commit, applied over its first parent', async (t) => {
  const { repo, tip, second } = await divergence(await scratch(t));
  const result = await mergeOnto(repo, tip, { commit: second });
  assert.ok(result.kind === 'merged');
  assert.equal(await git(repo, ['ls-tree', '--name-only', result.commit]), 'old\nshared\n');
});

test('I9: of a series, what the change that it stands on has brought is left out, and all of it where it is there', async (t) => {
  const { repo, tip, first, second } = await divergence(await scratch(t));
  const below = await mergeOnto(repo, tip, { commit: first, series: true });
  assert.ok(below.kind === 'merged');
  const result = await mergeOnto(repo, below.commit, { commit: second, series: true });
  assert.ok(result.kind === 'merged');
  const log = await git(repo, ['log', '--format=%s', result.commit]);
  assert.deepEqual(log.trim().split('\n'), ['Second', 'First', 'Tip', 'Base']);
  assert.deepEqual(await mergeOnto(repo, result.commit, { commit: second, series: true }), result);
  const itself = await mergeOnto(repo, second, { commit: first, series: true });
  assert.equal(itself.kind === 'merged' && itself.commit, second);
});

test('a conflict that one commit of a series has, though the whole has none, names that commit and the mode', async (t) => {
  const { repo, base, tip } = await divergence(await scratch(t));
  const shared = 'one\n2\n3\n4\nfive\n';
  const first = await makeCommit(repo, { parents: [base], files: { shared: '1\n2\n3\n4\n5!\n' } });
  const second = await makeCommit(repo, { parents: [first, tip], files: { shared } });
  for (const mode of ['merge', 'squash-merge'] as const) {
    const whole = await mergeOnto(repo, tip, { commit: second, series: true, mode });
    assert.equal(whole.kind === 'merged' && (await fileAt(repo, whole.commit, 'shared')), shared);
  }
  const why = 'merge-mode rebase applies its 2 commits one by one: rebase or squash them';
  assert.deepEqual(await mergeOnto(repo, tip, { commit: second, series: true }), {
    ...{ kind: 'conflict', files: ['shared'] },
    message: `conflicts in shared at ${first}, for ${why}`,
  });
});

test('a series of very many commits is not applied one by one, and comes by the other modes', async (t) => {
  const { repo, base, tip } = await divergence(await scratch(t));
  const commit = 'commit refs/heads/many\ncommitter Ada <ada@example.org> 1700000000 +0200\ndata 0\n';
  const input = `${commit}from ${base}\n${commit.repeat(250)}`;
  await git(repo, ['fast-import', '--quiet'], { input });
  const proposal = { commit: 'refs/heads/many', series: true } as const;
  const result = await mergeOnto(repo, tip, { ...proposal, mode: 'cherry-pick' });
  assert.match(
    result.kind === 'conflict' ? result.message : '',
    /^conflicts with merge-mode cherry-pick, .* 250 commits/,
  );
  assert.equal((await mergeOnto(repo, tip, { ...proposal, mode: 'merge' })).kind, 'merged');
  assert.equal((await mergeOnto(repo, base, proposal)).kind, 'merged', 'it stands on the branch as it is');
});

test('the author is kept, and the committer is Sluice at the same time', async (t) => {
  const { repo, tip, first } = await divergence(await scratch(t));
  const result = await mergeOnto(repo, tip, { commit: first });
  assert.ok(result.kind === 'merged');
  const [commit] = await readCommits(repo, [result.commit]);
  assert.equal(commit?.author, 'Bob <bob@example.org> 1700000000 +0200');
  assert.equal(commit?.committer, 'Sluice <sluice@localhost> 1700000000 +0200');
  assert.equal(commit?.message, 'First\n');
});

test('a change that stands on the state ahead is merged as it is', async (t) => {
  const { repo, base, first } = await divergence(await scratch(t));
  const result = await mergeOnto(repo, base, { commit: first });
  assert.equal(result.kind === 'merged' && result.commit, first);
});

test('the first change of an empty branch is merged as it is', async (t) => {
  const { repo, base } = await divergence(await scratch(t));
  const result = await mergeOnto(repo, null, { commit: base });
  assert.equal(result.kind === 'merged' && result.commit, base);
});

test('a conflict names the files', async (t) => {
  const { repo, tip, base } = await divergence(await scratch(t));
  const other = await makeCommit(repo, { parents: [base], files: { shared: '1\n2\n3\n4\n5!\n', fine: '' } });
  assert.deepEqual(await mergeOnto(repo, tip, { commit: other }), {
    kind: 'conflict',
    files: ['shared'],
    message: 'conflicts in shared',
  });
});

test('a change follows a file that was renamed meanwhile', async (t) => {
  const { repo, tip, base } = await divergence(await scratch(t));
  const files = { shared: null, 'sub/moved': '1\n2\n3\n4\nfive\n' };
  const renamed = await makeCommit(repo, { parents: [tip], files });
  const change = await makeCommit(repo, { parents: [base], files: { shared: 'one\n2\n3\n4\n5\n' } });
  const result = await mergeOnto(repo, renamed, { commit: change });
  assert.equal(result.kind === 'merged' && (await fileAt(repo, result.commit, 'sub/moved')), 'one\n2\n3\n4\nfive\n');
});

test('a change that starts a history of its own is added to what is there', async (t) => {
  const { repo, tip } = await divergence(await scratch(t));
  const orphan = await makeCommit(repo, { files: { orphan: 'x\n' } });
  const result = await mergeOnto(repo, tip, { commit: orphan });
  assert.ok(result.kind === 'merged');
  assert.deepEqual((await readCommits(repo, [result.commit]))[0]?.parents, [tip]);
});

test('a merge commit keeps its other parents', async (t) => {
  const { repo, base, tip, first } = await divergence(await scratch(t));
  const side = await makeCommit(repo, { parents: [base], files: { side: 's\n' } });
  const merge = await makeCommit(repo, { parents: [side, first], files: { one: '1\n' }, message: 'Merge\n' });
  const result = await mergeOnto(repo, tip, { commit: merge });
  assert.ok(result.kind === 'merged');
  assert.deepEqual((await readCommits(repo, [result.commit]))[0]?.parents, [tip, first]);
});

for (const [says, header] of [
  ['is named', 'encoding ISO-8859-1\n'],
  ['is not named', ''],
] as const) {
  test(`P7: a message in another encoding, which ${says}, stays byte for byte`, async (t) => {
    const { repo, base, tip } = await divergence(await scratch(t));
    const tree = (await git(repo, ['rev-parse', `${base}^{tree}`])).trim();
    const who = 'Zo\xeb <zoe@example.org> 1700000000 +0000';
    const raw = `tree ${tree}\nparent ${base}\nauthor ${who}\ncommitter ${who}\n${header}\nGr\xfc\xdfe\n`;
    const args = ['hash-object', '-t', 'commit', '-w', '--stdin'];
    const commit = (await git(repo, args, { input: Buffer.from(raw, 'latin1') })).trim();
    const result = await mergeOnto(repo, tip, { commit });
    assert.ok(result.kind === 'merged');
    const merged = await git(repo, ['cat-file', 'commit', result.commit], { encoding: 'latin1' });
    assert.match(merged, /^author Zo\xeb </m);
    assert.match(merged, /\n\nGr\xfc\xdfe\n$/);
  });
}

test('a revision that is no commit is refused by name', async (t) => {
  const { repo, tip } = await divergence(await scratch(t));
  await assert.rejects(mergeOnto(repo, tip, { commit: 'refs/changes/01/1/1' }), /no commit refs\/changes\/01\/1\/1/);
  for (const hostile of ['--help', 'master', 'refs/heads/../x', 'refs/heads/a\nb', `${tip}^`]) {
    await assert.rejects(mergeOnto(repo, tip, { commit: hostile }), { name: 'BadName' }, hostile);
  }
});
