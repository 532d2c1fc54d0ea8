import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ChainItem } from '../../../activities/git/chain.ts';
import { git } from '../../../activities/git/git.ts';
import { createLocalGit } from '../../../activities/git/local.ts';
import type { MergeMode } from '../../../activities/git/merge.ts';
import { readBranch } from '../../../activities/git/refs.ts';
import { receive } from '../../../activities/review/git/receive/receive.ts';
import { openConnection } from '../../../activities/review/registry.ts';
import { readSecret } from '../../../activities/review/secret.ts';
import { gateActor } from '../../../pipelines/model/actor.ts';
import type { MergeStep } from '../../../pipelines/model/artifact.ts';
import { standsOnTaken } from '../../../pipelines/report/taken.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';
import { account, messageFor } from './developer.ts';
import { testedRequest } from './tested.ts';

/** Three changes beside each other, of which the second is already behind the branch when it is merged. */
async function setup(t: TestContext, approve?: string) {
  const root = join(await scratch(t), 'git');
  const repo = await bareRepository(root, 'alpha');
  const base = await makeCommit(repo, { files: { start: '' } });
  await setBranch(repo, 'master', base);
  const settings = { root, connection: 'git', page: '' };
  for (const word of ['a', 'b', 'c']) {
    const commit = await makeCommit(repo, { parents: [base], files: { [word]: word }, message: messageFor(word) });
    const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
    await receive(settings, { project: 'alpha', commands, options: [], pusher: account('Ada'), remote: 'origin' });
  }
  const change = (number: number, mode: MergeMode) => ({
    ...{ id: `git:${number}`, project: 'alpha', branch: 'master', mode },
    commit: `refs/changes/0${number}/${number}/1`,
  });
  const { host, people } = openConnection({
    ...{ name: 'git', repositories: root, page: '', owns: () => true, readSecret, git: createLocalGit(root) },
    settings: { driver: 'git', ...(approve === undefined ? {} : { approve: { label: approve } }) },
  });
  assert.ok(people);
  const request = (id: string, mode?: MergeMode) => testedRequest({ host, git: createLocalGit(root) }, id, mode);
  /** Proposes a fourth change, on any commit. */
  const pushOn = async (parent: string) => {
    const commit = await makeCommit(repo, { parents: [parent], files: { d: '1' }, message: messageFor('d') });
    const commands = [{ ref: 'refs/for/master', old: '0'.repeat(40), new: commit }];
    await receive(settings, { project: 'alpha', commands, options: [], pusher: account('Ada'), remote: 'origin' });
  };
  return { root, repo, host, people, change, request, pushOn };
}

for (const mode of ['rebase', 'cherry-pick', 'merge', 'squash-merge'] as const) {
  test(`what is merged is the very commit that was tested: ${mode}`, async (t) => {
    const { root, repo, host, change } = await setup(t);
    const items: ChainItem[] = [
      { key: '1', base: null, changes: [change(1, mode)] },
      { key: '2', base: '1', changes: [change(2, mode), change(3, mode)] },
    ];
    const [one, two] = await createLocalGit(root).merge({ items });
    assert.ok(one?.kind === 'ready' && two?.kind === 'ready');
    const [first, both] = [one.sources[0] ?? assert.fail(), two.sources[0] ?? assert.fail()];
    const submit = (number: number, tested: typeof first, { onto: base, change: _, ...step }: MergeStep) =>
      host.submit(gateActor, { change: `git:${number}`, patchset: 1, tested, step, base });
    const [step, second, third] = [...one.steps, ...two.steps];
    assert.ok(step && second && third);
    assert.deepEqual(await submit(1, first, step), { kind: 'merged', state: first });
    // The second and the third were tested as one item: the second alone is a part of what was tested.
    assert.equal((await submit(2, both, second)).kind, 'merged');
    assert.deepEqual(await submit(3, both, third), { kind: 'merged', state: both });
    assert.equal(await readBranch(repo, 'master'), both?.commit);
  });
}

test('a change that was not tested on what is ahead is not merged', async (t) => {
  const { root, repo, host, change, request } = await setup(t);
  const items: ChainItem[] = [{ key: '2', base: null, changes: [change(2, 'rebase')] }];
  const [alone] = await createLocalGit(root).merge({ items });
  assert.ok(alone?.kind === 'ready');
  await host.submit(gateActor, await request('git:1'));
  const before = await readBranch(repo, 'master');
  const tested = alone.sources[0] ?? assert.fail();
  const result = await host.submit(gateActor, { change: 'git:2', patchset: 1, tested });
  assert.equal(result.kind, 'moved');
  assert.equal(await readBranch(repo, 'master'), before);
});

test('I9: what was taken from a branch, or the branch itself, does not come back with a merge', async (t) => {
  const { repo, host, request } = await setup(t);
  const base = (await readBranch(repo, 'master')) ?? '';
  await setBranch(repo, 'master', await makeCommit(repo, { parents: [base], files: { secret: '1' } }));
  const tip = (await readBranch(repo, 'master')) ?? '';
  const asked = { ...(await request('git:1')), base: tip };
  await setBranch(repo, 'master', base);
  assert.equal((await host.submit(gateActor, asked)).kind, 'moved');
  assert.equal(await readBranch(repo, 'master'), base);
  await git(repo, ['update-ref', '-d', 'refs/heads/master']);
  const reason = 'alpha has no branch master any more';
  assert.deepEqual(await host.submit(gateActor, asked), { kind: 'refused', reason });
  assert.equal(await readBranch(repo, 'master'), null);
});

for (const [mode, kind] of [
  ['merge', 'refused'],
  ['squash-merge', 'refused'],
  ['rebase', 'moved'],
  [undefined, 'moved'],
] as const) {
  test(`I9: a change that was made on what was taken does not bring it back: ${mode}`, async (t) => {
    const { repo, host, request, pushOn } = await setup(t);
    const base = (await readBranch(repo, 'master')) ?? '';
    const taken = await makeCommit(repo, { parents: [base], files: { secret: '1' } });
    await setBranch(repo, 'master', taken);
    await pushOn(taken);
    const asked = { ...(await request('git:4')), base: taken, ...(mode && { mode }) };
    for (const tip of [base, await makeCommit(repo, { parents: [base], files: { other: '1' } })]) {
      await setBranch(repo, 'master', tip);
      const result = await host.submit(gateActor, asked);
      assert.equal(result.kind, kind);
      if (kind === 'refused' && 'reason' in result) assert.match(result.reason, new RegExp(`on ${taken}.*: rebase it`));
      assert.equal(await readBranch(repo, 'master'), tip);
    }
    // It is approved again, and tested on what the branch is now; or was, before anybody noticed.
    const { base: _, ...before } = asked;
    const now = kind === 'refused' ? before : await request('git:4', mode ?? 'rebase');
    const again = await host.submit(gateActor, { ...now, ...(mode && { mode }) });
    assert.equal(again.kind, kind === 'refused' ? kind : 'merged');
    await assert.rejects(git(repo, ['cat-file', '-e', 'refs/heads/master:secret']));
  });
}

test('I9: a merge that was taken back comes back with no change that was tested afterwards only', async (t) => {
  const { repo, host, request, pushOn } = await setup(t);
  const base = (await readBranch(repo, 'master')) ?? '';
  assert.equal((await host.submit(gateActor, { ...(await request('git:1')), base, mode: 'merge' })).kind, 'merged');
  const taken = (await readBranch(repo, 'master')) ?? '';
  await pushOn(taken);
  const asked = { ...(await request('git:4')), base, mode: 'merge' } as const;
  await setBranch(repo, 'master', base);
  const result = await host.submit(gateActor, asked);
  const reason = standsOnTaken(taken, { project: 'alpha', branch: 'master', head: '' });
  assert.deepEqual(result, { kind: 'refused', reason });
});

test('two submits of one change at once merge it once', async (t) => {
  const { host, request: of } = await setup(t);
  const request = await of('git:1');
  const kinds = (await Promise.all([host.submit(gateActor, request), host.submit(gateActor, request)])).map(
    ({ kind }) => kind,
  );
  assert.deepEqual(kinds.sort(), ['already-merged', 'merged']);
  assert.equal((await host.readEvents('git:1', 1)).events.length, 2);
});

test('what the gate says of a change that it has merged takes the place of its check; what comes late does not', async (t) => {
  const { host, request } = await setup(t);
  const say = (key: string, verified: number) =>
    host.report(gateActor, { key, change: 'git:1', patchset: 1, message: key, body: { Verified: verified } });
  const votes = async () => (await host.readChange('git:1'))?.votes.map(({ label, value }) => `${label} ${value}`);
  await say('check', -1);
  await host.submit(gateActor, await request('git:1'));
  await say('gate', 2);
  assert.deepEqual(await votes(), ['Verified 2']);
  await say('late check', -1);
  assert.deepEqual(await votes(), ['Verified 2']);
});

for (const [label, agreed] of [
  ['Approved', undefined],
  ['Approved', 'Workflow'],
  ['Workflow', 'Workflow'],
] as const) {
  test(`a veto holds up the merge, whatever others vote, until it is taken back: ${label}, ${agreed}`, async (t) => {
    const { host, people, request } = await setup(t, agreed);
    const vote = (name: string, value: number, of: string = label) =>
      people.vote(account(name), 'git:1', { label: of, value });
    await vote('Ada', 2);
    await vote('Ada', -1, 'Verified');
    await vote('Grace', -1);
    const missing = [`Grace voted ${label} -1`];
    assert.deepEqual(await host.canMerge('git:1', []), { ok: false, missing, isOpen: true });
    const submit = async () => host.submit(gateActor, await request('git:1'));
    assert.deepEqual(await submit(), { kind: 'refused', reason: missing[0] });
    await vote('Grace', 0);
    assert.deepEqual(await host.canMerge('git:1', []), { ok: true });
    assert.equal((await submit()).kind, 'merged');
  });
}
