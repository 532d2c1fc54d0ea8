import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../../activities/process/run.ts';
import { peopleElsewhere } from '../../../../activities/review/elsewhere.ts';
import { aboutToMerge } from '../../../../activities/review/mark.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { standsOnTaken } from '../../../../pipelines/report/taken.ts';
import { testedRequest } from '../tested.ts';
import { gitea, useGitea } from './site.ts';
import { contents, type GiteaWorld, openWorld, pathOf, proposalOf, until } from './world.ts';

const site = useGitea();
const options = { skip: gitea === null };

async function open(t: TestContext, exact = true): Promise<GiteaWorld> {
  const world = await openWorld(t, site());
  const path = `/repos/${world.owner}/alpha`;
  if (!exact) await site().root.api('PATCH', path, { has_pull_requests: true, allow_manual_merge: false });
  return world;
}

const one = { project: 'alpha', file: 'a', content: '1' };

/** Writes over the branch of a change with one commit on what it was proposed on. */
async function forcePush(t: TestContext, change: string, content: string): Promise<void> {
  const { fork, branch } = proposalOf(change);
  const git = await clone(t, fork);
  await git('checkout', '-q', branch);
  await git('reset', '-q', '--soft', 'origin/master');
  await git('commit', '-q', '-m', content, '--allow-empty');
  await git('push', '-q', '--force', 'origin', `HEAD:${branch}`);
}

/** Git in a clone of a project, by whoever may push there whatever they like. */
async function clone(t: TestContext, project: string): Promise<(...args: string[]) => Promise<unknown>> {
  const { server, ada, root } = site();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-clone-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const { name, token } = project.startsWith('ada/') ? ada : root;
  const url = `${server.url.replace('://', `://${name}:${token}@`)}/${project}.git`;
  await must('git', ['clone', '-q', url, directory]);
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
  return (...args) => must('git', ['-C', directory, ...who, ...args]);
}

test('patch sets keep their numbers through forced pushes and restarts', options, async (t) => {
  const world = await open(t);
  const { host, push } = world;
  const id = await push(one);
  await push({ ...one, content: '2', amend: id });
  await push({ ...one, content: '3', amend: id });
  assert.equal((await host.readChange(id))?.patchset, 3);
  await forcePush(t, id, 'forced');
  await until(async () => (await host.readChange(id))?.patchset === 4);
  assert.equal((await world.reopen().host.readChange(id))?.patchset, 4);
  const { events, last } = await world.reopen().host.readEvents(id, 0);
  assert.deepEqual(
    events.map(({ action, patchset }) => [action, patchset]),
    [
      ['opened', 1],
      ['changed', 2],
      ['changed', 3],
      ['changed', 4],
    ],
  );
  assert.equal(last, 4);
});

test('the tested commit itself lands, whatever the way, and the pull request is merged', options, async (t) => {
  for (const mode of ['rebase', 'merge', 'squash-merge'] as const) {
    const world = await open(t);
    const { host, push, prepare, moveBranch, words } = world;
    const id = await push(one);
    await moveBranch('alpha');
    const tested = await prepare([id], mode);
    const result = await host.submit(gateActor, { change: id, patchset: 1, tested, mode });
    assert.deepEqual(result, { kind: 'merged', state: tested }, mode);
    assert.equal(await host.branchTip(words.project('alpha'), 'master'), tested.commit);
    assert.equal((await host.readChange(id))?.status, 'merged');
    const again = await host.submit(gateActor, { change: id, patchset: 1, tested, mode });
    assert.deepEqual(again, { kind: 'already-merged', state: tested });
  }
});

test('a push whose word was lost is told of at the next try', options, async (t) => {
  const { host, git, push, prepare, words } = await open(t);
  const id = await push(one);
  const tested = await prepare([id], 'rebase');
  const tip = await host.branchTip(words.project('alpha'), 'master');
  assert.equal((await git.push(tested, tip)).kind, 'pushed');
  const result = await host.submit(gateActor, { change: id, patchset: 1, tested });
  assert.ok('state' in result);
  assert.deepEqual(result.state, tested);
  assert.equal((await host.readChange(id))?.status, 'merged');
});

test('the host merges where Sluice may not push: the trees are the same', options, async (t) => {
  for (const mode of ['merge', 'rebase', 'squash-merge'] as const) {
    const world = await open(t, false);
    const { host, push, prepare, moveBranch, words } = world;
    const id = await push(one);
    await moveBranch('alpha');
    const tested = await prepare([id], mode);
    const result = await host.submit(gateActor, { change: id, patchset: 1, tested, mode });
    assert.equal(result.kind, 'merged', JSON.stringify(result));
    assert.ok('state' in result);
    assert.equal(result.state.tree, tested.tree);
    assert.notEqual(result.state.commit, tested.commit);
    assert.equal(await host.branchTip(words.project('alpha'), 'master'), result.state.commit);
  }
});

for (const exact of [true, false]) {
  const how = exact ? 'pushed' : 'merged by the host';
  test(`what was tested on another tip is not ${how}, nor a head that moved`, options, async (t) => {
    const { host, push, prepare, moveBranch } = await open(t, exact);
    const id = await push(one);
    const tested = await prepare([id], 'merge');
    await moveBranch('alpha');
    const moved = await host.submit(gateActor, { change: id, patchset: 1, tested, mode: 'merge' });
    assert.equal(moved.kind, 'moved');
    const fresh = await prepare([id], 'merge');
    await push({ ...one, content: '2', amend: id });
    const refused = await host.submit(gateActor, { change: id, patchset: 1, tested: fresh, mode: 'merge' });
    assert.ok(refused.kind === 'refused' && refused.reason.includes('is at patch set 2, not 1'));
    assert.equal((await host.readChange(id))?.status, 'open');
  });
}

test('a way that the project does not allow is refused, and says where it is allowed', options, async (t) => {
  const { host, push, prepare, owner } = await open(t, false);
  const settings = { has_pull_requests: true, allow_squash_merge: false };
  await site().root.api('PATCH', `/repos/${owner}/alpha`, settings);
  const id = await push(one);
  const tested = await prepare([id], 'squash-merge');
  const result = await host.submit(gateActor, { change: id, patchset: 1, tested, mode: 'squash-merge' });
  assert.ok(result.kind === 'refused' && /does not allow to merge by squash/.test(result.reason));
  assert.deepEqual(await host.canMerge(id, [], 'squash-merge'), { ok: false, missing: [result.reason] });
  assert.deepEqual(await host.canMerge(id, [], 'merge'), { ok: true });
});

const noWay = {
  ...{ has_pull_requests: true, allow_merge_commits: false, allow_rebase: false, allow_rebase_explicit: false },
  ...{ allow_squash_merge: false, allow_fast_forward_only_merge: false },
};

test('I9: it is merged as the project allows, or said before any job runs', options, async (t) => {
  const { host, push, prepare, owner, moveBranch, words } = await open(t, false);
  const allow = (more: object, project = 'alpha') =>
    site().root.api('PATCH', `/repos/${owner}/${project}`, { ...noWay, allow_manual_merge: false, ...more });
  const id = await push(one);
  await moveBranch('alpha');
  const missing = async () => {
    const answer = await host.canMerge(id, []);
    return answer.ok ? '' : answer.missing.join('; ');
  };
  await allow({});
  assert.equal(await missing(), `${owner}/alpha allows no way to merge: allow one in its settings`);
  await allow({ allow_fast_forward_only_merge: true });
  assert.equal(await missing(), `${owner}/alpha is only moved forward, and #1 does not stand on master: rebase it`);
  await allow({ allow_squash_merge: true });
  assert.equal(await missing(), '');
  const tested = await prepare([id], 'merge');
  const result = await host.submit(gateActor, { change: id, patchset: 1, tested });
  assert.ok(result.kind === 'merged', JSON.stringify(result));
  assert.equal(result.state.tree, tested.tree);
  // What stands on the tip is moved forward to.
  await allow({ allow_fast_forward_only_merge: true }, 'beta');
  const next = await push({ ...one, project: 'beta' });
  assert.deepEqual(await host.canMerge(next, []), { ok: true });
  const forward = await prepare([next], 'merge');
  const moved = await host.submit(gateActor, { change: next, patchset: 1, tested: forward });
  assert.ok(moved.kind === 'merged', JSON.stringify(moved));
  assert.equal(await host.branchTip(words.project('beta'), 'master'), forward.commit);
});

async function protect(world: GiteaWorld, more: object): Promise<void> {
  await site().root.api('PATCH', `/repos/${world.owner}/alpha/branch_protections/master`, more);
}

test('others’ checks and approvals are in the way, Sluice’s own are given at the merge', options, async (t) => {
  const world = await open(t, false);
  const { host, push, vote, prepare } = world;
  await protect(world, {
    ...{ enable_status_check: true, status_check_contexts: ['sluice/gate', 'ci/*'], required_approvals: 1 },
  });
  const id = await push(one);
  const own = ['sluice/gate'];
  const first = await host.canMerge(id, own);
  assert.deepEqual(first, { ok: false, missing: ['it has 0 of 1 approvals', 'the status ci/* is missing'] });
  await vote(id, 'Approved', 1);
  const { head } = await site().root.api<{ head: { sha: string } }>('GET', pathOf(id, 'pulls'));
  const path = `/repos/${world.owner}/alpha/statuses/${head.sha}`;
  await site().root.api('POST', path, { context: 'ci/unit', state: 'failure' });
  assert.deepEqual(await host.canMerge(id, own), { ok: false, missing: ['the status ci/unit is failure'] });
  await site().root.api('POST', path, { context: 'ci/unit', state: 'success' });
  assert.deepEqual(await host.canMerge(id, own), { ok: true });
  const tested = await prepare([id], 'merge');
  const request = { change: id, patchset: 1, tested, mode: 'merge' } as const;
  // As a try has left it that broke off.
  await site().sluice.api('POST', path, { context: 'sluice/gate', state: 'success', description: aboutToMerge });
  await host.withdraw?.(gateActor, { request, reason: 'the server has died' });
  const statuses = await site().root.api<{ id: number; context: string; status: string }[]>('GET', path);
  const [last] = statuses.filter(({ context }) => context === 'sluice/gate').toSorted((a, b) => b.id - a.id);
  assert.deepEqual([statuses.length, last?.status], [4, 'pending']);
  const result = await host.submit(gateActor, request);
  assert.equal(result.kind, 'merged', JSON.stringify(result));
});

test('who asks for changes is in the way by name', options, async (t) => {
  const world = await open(t);
  const { host, push, vote } = world;
  const id = await push(one);
  await vote(id, 'Approved', -1);
  assert.deepEqual(await host.canMerge(id, []), { ok: false, missing: ['bob asked for changes'] });
  const result = await host.submit(gateActor, await testedRequest(world, id));
  assert.deepEqual(result, { kind: 'refused', reason: 'bob asked for changes' });
});

test('a conflict is seen, and not merged', options, async (t) => {
  const world = await open(t, false);
  const { host, push } = world;
  const [first, second] = [await push(one), await push({ ...one, content: '2' })];
  const alone = await testedRequest(world, second);
  assert.equal((await host.submit(gateActor, await testedRequest(world, first))).kind, 'merged');
  const answer = await host.canMerge(second, []);
  assert.ok(!answer.ok && /finds a conflict of .* with master/.test(answer.missing.join()));
  assert.equal((await host.submit(gateActor, alone)).kind, 'moved');
});

test('I9: what was taken from a branch does not come back with a merge, approved again or not', options, async (t) => {
  const { host, push, owner, prepare, moveBranch } = await open(t);
  const alpha = `${owner}/alpha`;
  const first = (await host.branchTip(alpha, 'master')) ?? '';
  await moveBranch('alpha');
  const taken = (await host.branchTip(alpha, 'master')) ?? '';
  const id = await push(one);
  const request = { change: id, patchset: 1, tested: await prepare([id]), base: taken };
  await site().root.api('DELETE', `/repos/${alpha}/branch_protections/master`);
  const git = await clone(t, alpha);
  await git('push', '-q', '--force', 'origin', `${first}:refs/heads/master`);
  const refused = {
    kind: 'refused',
    reason: standsOnTaken(taken, { project: alpha, branch: 'master', head: '' }),
  };
  assert.deepEqual(await host.submit(gateActor, request), refused);
  const again = { ...request, base: first };
  assert.deepEqual(await host.submit(gateActor, again), refused);
  assert.equal(await host.branchTip(alpha, 'master'), first);
});

test('a branch that is gone with changes open on it, and an archived project, merge nothing', options, async (t) => {
  const { host, push, owner, prepare } = await open(t);
  const { root, sluice } = site();
  const id = await push(one);
  const tested = await prepare([id]);
  await root.api('PATCH', `/repos/${owner}/alpha`, { archived: true });
  assert.deepEqual(await host.canMerge(id, []), { ok: false, missing: [`${owner}/alpha is archived`] });
  assert.equal((await host.submit(gateActor, { change: id, patchset: 1, tested })).kind, 'refused');
  assert.deepEqual(await host.listOpenChanges(), []);
  await root.api('PATCH', `/repos/${owner}/alpha`, { archived: false });
  await sluice.api('POST', `/repos/${owner}/alpha/contents/next`, contents('x', { new_branch: 'next' }));
  await root.api('PATCH', `/repos/${owner}/alpha`, { default_branch: 'next' });
  await root.api('DELETE', `/repos/${owner}/alpha/branch_protections/master`);
  await root.api('DELETE', `/repos/${owner}/alpha/branches/master`);
  // Gitea closes what was open on it, or sends it to another branch, which nobody has tested it on.
  await until(async () => (await host.readChange(id))?.branch !== 'master' || !(await host.canMerge(id, [])).ok);
  const result = await host.submit(gateActor, { change: id, patchset: 1, tested });
  assert.ok(result.kind === 'moved' || result.kind === 'refused', JSON.stringify(result));
});

test(
  'a project that was renamed is not the one that the configuration names, and whoever asks is told its name',
  options,
  async (t) => {
    const { host, push, owner, words, prepare } = await open(t);
    const alpha = words.project('alpha');
    const id = await push(one);
    const tested = await prepare([id]);
    assert.equal(await host.nameNow?.(alpha), null);
    await site().root.api('PATCH', `/repos/${owner}/alpha`, { name: 'renamed' });
    assert.equal(await host.readChange(id), null);
    assert.deepEqual(await host.branches(alpha), []);
    assert.equal(await host.branchTip(alpha, 'master'), null);
    assert.equal(await host.nameNow?.(alpha), `${owner}/renamed`);
    assert.equal(await host.nameNow?.(`${owner}/none`), null);
    const reason = `there is no change "${id}": ${alpha} is called ${owner}/renamed there: name it so in sluice.yaml`;
    assert.deepEqual(await host.submit(gateActor, { change: id, patchset: 1, tested }), { kind: 'refused', reason });
    await assert.rejects(host.readEvents(id, 1), { name: 'UnknownChange', message: reason });
    await assert.rejects(peopleElsewhere(host).read(id), { name: 'UnknownChange', message: reason });
    // Another project that takes the name, with a change of the same number, is not the one that was tested.
    await site().root.api('POST', `/orgs/${owner}/repos`, { name: 'alpha', auto_init: true, default_branch: 'master' });
    const result = await host.submit(gateActor, { change: id, patchset: 1, tested });
    assert.equal(result.kind, 'refused');
  },
);
