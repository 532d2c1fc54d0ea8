import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ChainChange, ChainItem } from '../../../activities/git/chain.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import type { MergeMode } from '../../../activities/git/merge.ts';
import { readRefs } from '../../../activities/git/refs.ts';
import { expireStates } from '../../../activities/git/states.ts';
import { noteTaken } from '../../../activities/git/taken.ts';
import { must } from '../../../activities/process/run.ts';
import { recordTools } from '../../../activities/process/timing.ts';
import { bareRepository, fileAt, makeCommit, scratch, setBranch } from './repository.ts';

async function project(root: string, name: string) {
  const repo = await bareRepository(root, name);
  const base = await makeCommit(repo, { files: { start: `${name}\n` } });
  await setBranch(repo, 'master', base);
  const change = async (id: string, files: Record<string, string>) => ({
    ...{ id, project: name, branch: 'master' },
    commit: await makeCommit(repo, { parents: [base], files, message: `${id}\n` }),
  });
  return { repo, base, change };
}

test('each item stands on the one before, over several repositories', async (t) => {
  const root = await scratch(t);
  const [a, b] = [await project(root, 'a'), await project(root, 'group/b')];
  const items: ChainItem[] = [
    { key: 'one', base: null, changes: [await a.change('A1', { one: '1' })] },
    { key: 'two', base: 'one', changes: [await b.change('B1', { two: '2' }), await a.change('A2', { two: '2' })] },
    { key: 'three', base: 'two', changes: [await b.change('B2', { three: '3' })] },
  ];
  const results = await createLocalGit(root).merge({ items });
  const last = results[2];
  assert.ok(last?.kind === 'ready');
  assert.deepEqual(last.sources.map(({ project: name }) => name).sort(), ['a', 'group/b']);
  const of = (name: string) => last.sources.find((state) => state.project === name)?.commit ?? '';
  assert.equal(await fileAt(a.repo, of('a'), 'one'), '1');
  assert.equal(await fileAt(a.repo, of('a'), 'two'), '2');
  assert.equal(await fileAt(b.repo, of('group/b'), 'three'), '3');
  assert.deepEqual(await createLocalGit(root).merge({ items }), results, 'the same states again');
});

test('an item of several changes says what each of them has made, on what', async (t) => {
  const root = await scratch(t);
  const [a, b] = [await project(root, 'a'), await project(root, 'b')];
  const [one, two, three] = [
    await a.change('A1', { one: '1' }),
    await b.change('B1', { one: '1' }),
    await a.change('A2', { two: '2' }),
  ];
  const git = createLocalGit(root);
  const [alone, item] = await git.merge({
    items: [
      { key: 'alone', base: null, changes: [one] },
      { key: 'item', base: null, changes: [one, two, three] },
    ],
  });
  assert.ok(alone?.kind === 'ready' && item?.kind === 'ready');
  const [first, , last] = item.steps;
  assert.deepEqual(first, { ...alone.sources[0], change: 'A1', onto: a.base });
  assert.deepEqual(alone.steps, [first]);
  assert.deepEqual(
    item.steps.map(({ change, onto }) => [change, onto]),
    [
      ['A1', a.base],
      ['B1', b.base],
      ['A2', first?.commit],
    ],
  );
  assert.equal(item.sources.find(({ project: name }) => name === 'a')?.commit, last?.commit);
});

test('a conflict is a result, and what stands on it is not made', async (t) => {
  const root = await scratch(t);
  const a = await project(root, 'a');
  const results = await createLocalGit(root).merge({
    items: [
      { key: 'one', base: null, changes: [await a.change('A1', { start: 'x\n' })] },
      { key: 'two', base: 'one', changes: [await a.change('A2', { start: 'y\n' })] },
      { key: 'three', base: 'two', changes: [await a.change('A3', { other: 'z\n' })] },
      { key: 'four', base: 'one', changes: [await a.change('A4', { other: 'z\n' })] },
    ],
  });
  assert.deepEqual(
    results.map((result) => result.kind),
    ['ready', 'conflict', 'no-base', 'ready'],
  );
  assert.deepEqual(results[1], { key: 'two', kind: 'conflict', change: 'A2', message: 'A2: conflicts in start' });
});

test('I9: what would bring back what was taken from its branch is not made, unless only its own commits come', async (t) => {
  const root = await scratch(t);
  const { repo, base } = await project(root, 'a');
  const secret = await makeCommit(repo, { parents: [base], files: { secret: '1' } });
  const commit = await makeCommit(repo, { parents: [secret], files: { b: '1' } });
  const change = { id: 'A', project: 'a', branch: 'master', commit };
  const git = createLocalGit(root);
  const other = { ...change, id: 'B', commit: await makeCommit(repo, { parents: [base], files: { c: '1' } }) };
  const items = (mode?: MergeMode, more: Pick<ChainChange, 'series'> = {}): ChainItem[] => [
    { key: '1', base: null, changes: [other] },
    { key: '2', base: '1', changes: [{ ...change, ...more, ...(mode && { mode }) }] },
  ];
  const made = async (mode?: MergeMode) => (await git.merge({ items: items(mode) }))[1];
  await setBranch(repo, 'master', secret);
  assert.equal((await made('merge'))?.kind, 'ready');
  await setBranch(repo, 'master', base);
  const reason = `it stands on ${secret}, which was taken from master of a: rebase it`;
  const message = `A: ${reason} (\`git rebase --onto origin/master ${secret}\`)`;
  for (const mode of ['merge', 'merge-resolve', 'squash-merge'] as const) {
    assert.deepEqual(await made(mode), { key: '2', kind: 'conflict', change: 'A', message, taken: true });
  }
  for (const mode of [undefined, 'rebase', 'cherry-pick'] as const) {
    assert.equal((await made(mode))?.kind, 'ready');
    const [, all] = await git.merge({ items: items(mode, { series: true }) });
    assert.equal(all?.kind === 'conflict' && all.message, message, 'a pull request comes with all of its commits');
  }
  await setBranch(repo, 'master', secret);
  assert.equal((await made('merge'))?.kind, 'ready', 'it was given back');
});

test('I9: a change that was itself on its branch and taken from it comes again as other commits', async (t) => {
  const root = await scratch(t);
  const { repo, base } = await project(root, 'a');
  const first = await makeCommit(repo, { parents: [base], files: { a: '1' } });
  const head = await makeCommit(repo, { parents: [first], files: { b: '1' } });
  const local = createLocalGit(root);
  const made = async (commit: string) => {
    const change: ChainChange = { id: 'A', project: 'a', branch: 'master', commit, mode: 'merge' };
    return (await local.merge({ items: [{ key: '1', base: null, changes: [change] }] }))[0];
  };
  assert.equal((await made(first))?.kind, 'ready', 'its branch is watched');
  await setBranch(repo, 'master', head);
  await noteTaken(repo);
  await setBranch(repo, 'master', base);
  for (const commit of [first, head]) {
    const result = await made(commit);
    assert.ok(result?.kind === 'conflict' && result.taken);
    assert.match(
      result.message,
      new RegExp(`^A: it is itself ${commit}, which was taken from master of a: make its own`),
    );
  }
  const result = await made(head);
  assert.ok(result?.kind === 'conflict');
  const clone = join(root, 'clone');
  await must('git', ['clone', '-q', repo, clone]);
  const env = { GIT_SEQUENCE_EDITOR: 'true', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@example.org' };
  await must('git', ['-C', clone, 'fetch', '-q', 'origin', head]);
  await must('git', ['-C', clone, 'checkout', '-q', 'FETCH_HEAD']);
  const [, said = ''] = /\(`git (.+)`\)$/.exec(result.message) ?? [];
  await must('git', ['-C', clone, ...said.split(' ')], { env });
  await must('git', ['-C', clone, 'push', '-q', 'origin', 'HEAD:refs/changes/1']);
  const again = (await readRefs(repo, 'refs/changes')).get('refs/changes/1') ?? '';
  assert.equal((await made(again))?.kind, 'ready', 'as the command leaves it');
  assert.equal(await fileAt(repo, again, 'a'), '1');
});

test('a state that was made before is the base of new ones', async (t) => {
  const root = await scratch(t);
  const a = await project(root, 'a');
  const first = [{ key: '1', base: null, changes: [await a.change('A', { a: '' })] }];
  const [one] = await createLocalGit(root).merge({ items: first });
  assert.ok(one?.kind === 'ready');
  const items = [{ key: '2', base: '1', changes: [await a.change('B', { b: '' })] }];
  const [two] = await createLocalGit(root).merge({ items, known: { 1: one.sources } });
  assert.ok(two?.kind === 'ready');
  assert.equal(await fileAt(a.repo, two.sources[0]?.commit ?? '', 'a'), '');
});

test('speculative commits are kept from collection for some days', async (t) => {
  const root = await scratch(t);
  const a = await project(root, 'a');
  await createLocalGit(root).merge({ items: [{ key: '1', base: null, changes: [await a.change('A', { a: '' })] }] });
  assert.equal((await readRefs(a.repo, 'refs/sluice/states')).size, 1);
  const later = Date.now() + 9 * 24 * 60 * 60 * 1000;
  assert.equal(await expireStates(a.repo, { now: Date.now() }), 0);
  assert.equal(await expireStates(a.repo, { now: later, dryRun: true }), 1);
  assert.equal(await expireStates(a.repo, { now: later }), 1);
  assert.equal((await readRefs(a.repo, 'refs/sluice/states')).size, 0);
});

test('a merge in a chain costs no more than two starts of git', async (t) => {
  const root = await scratch(t);
  const a = await project(root, 'a');
  const items: ChainItem[] = [];
  for (let n = 0; n < 20; n++) {
    const change = await a.change(`C${n}`, { [`f${n}`]: '' });
    items.push({ key: `${n}`, base: n === 0 ? null : `${n - 1}`, changes: [change] });
  }
  const { value: results, tools } = await recordTools(() => createLocalGit(root).merge({ items }));
  assert.ok(results.every((result) => result.kind === 'ready'));
  // What reads objects and writes refs runs beside them, once for all.
  assert.ok(tools.length <= 2 * items.length, `${tools.length} starts for ${items.length} merges`);
});
