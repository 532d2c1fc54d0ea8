import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { standsOnTaken } from '../../../../pipelines/report/taken.ts';
import { makeCommit, setBranch } from '../../git/repository.ts';
import { testedRequest } from '../tested.ts';
import { mergeKey, testMerge } from './server/merging.ts';
import { addReview, closePull } from './server/pull-routes.ts';
import { git, type PullState, type RepositoryState, tip } from './server/state.ts';
import { type GithubWorld, idOf, openWorld, propose } from './world.ts';

/** The state that jobs saw: the pull request merged onto the branch as it is. */
async function tested(repository: RepositoryState, pull: PullState) {
  const commit = (await testMerge(repository, pull)) ?? '';
  const tree = await git(repository, 'rev-parse', `${commit}^{tree}`);
  return { project: repository.fullName, branch: 'master', commit, tree };
}

async function move({ alpha }: GithubWorld, files: Readonly<Record<string, string>>): Promise<void> {
  const parents = [await tip(alpha, 'master')];
  await setBranch(alpha.directory, 'master', await makeCommit(alpha.directory, { parents, files }));
}

const modes = [
  ['merge', 2],
  ['squash-merge', 1],
  ['rebase', 1],
] as const;

for (const [mode, parents] of modes) {
  test(`GitHub merges by ${mode} what was tested, and no other tree`, async (t) => {
    const there = await openWorld(t);
    const { world, alpha, host } = there;
    const pull = await propose(world, alpha, { files: { a: '1' } });
    await move(there, { other: '1' });
    const state = await tested(alpha, pull);
    const result = await host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state, mode });
    assert.ok(result.kind === 'merged', JSON.stringify(result));
    assert.equal(result.state.tree, state.tree);
    assert.equal(result.state.commit, await tip(alpha, 'master'));
    const line = await git(alpha, 'rev-list', '--parents', '--max-count=1', 'master');
    assert.equal(line.split(' ').length - 1, parents);
    const again = await host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state, mode });
    assert.deepEqual(again, { kind: 'already-merged', state: result.state });
  });
}

test('I9: a pull request of several commits lands by rebase as it was tested', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host, git: cache } = there;
  const parents = [await tip(alpha, 'master')];
  const onTopOf = await makeCommit(alpha.directory, { parents, files: { first: '1' } });
  const pull = await propose(world, alpha, { files: { second: '1' }, onTopOf });
  await move(there, { other: '1' });
  const change = idOf(alpha, pull);
  const { project, branch, ref } = (await host.readChange(change)) ?? assert.fail(change);
  await cache.ensure(project, [ref]);
  const proposal = { id: change, project, branch, commit: ref, mode: 'rebase', series: true } as const;
  const [prepared] = await cache.merge({ items: [{ key: '1', base: null, changes: [proposal] }] });
  const state = (prepared?.kind === 'ready' && prepared.sources[0]) || assert.fail(JSON.stringify(prepared));
  const merged = await host.submit(gateActor, { change, patchset: 1, tested: state, mode: 'rebase' });
  assert.ok(merged.kind === 'merged', JSON.stringify(merged));
  assert.equal(merged.state.tree, state.tree);
  assert.equal(await git(alpha, 'ls-tree', '--name-only', 'master'), 'first\nother\nsecond\nstart');
});

/** Sluice's own cache has what was tested. */
async function keep({ alpha, git: cache }: GithubWorld, commit: string): Promise<void> {
  await git(alpha, 'update-ref', 'refs/heads/tested', commit);
  await cache.ensure(alpha.fullName, ['refs/heads/tested']);
  await git(alpha, 'update-ref', '-d', 'refs/heads/tested');
}

test('I9: where Sluice may push, the very commit that was tested is what lands', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.mayPush = true;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  await move(there, { other: '1' });
  const state = await tested(alpha, pull);
  await keep(there, state.commit);
  const request = { change: idOf(alpha, pull), patchset: 1, tested: state };
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'merged', state });
  assert.equal(await tip(alpha, 'master'), state.commit);
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'already-merged', state });
  assert.ok(!world.asked.some((asked) => /PUT .*merge$/.test(asked)), 'GitHub was asked for a merge of its own');
});

test('I9: pull requests that need each other land together by one push', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.mayPush = true;
  const [one, two] = [
    await propose(world, alpha, { files: { a: '1' } }),
    await propose(world, alpha, { files: { b: '1' } }),
  ];
  const first = await tested(alpha, one);
  const tree = await git(alpha, 'merge-tree', '--write-tree', first.commit, two.head);
  const commit = await git(alpha, 'commit-tree', tree, '-p', first.commit, '-p', two.head, '-m', 'Both');
  await keep(there, commit);
  const state = { ...first, commit, tree };
  const submit = (pull: PullState) => host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state });
  assert.deepEqual(await submit(one), { kind: 'merged', state });
  assert.deepEqual(await submit(two), { kind: 'already-merged', state });
  assert.equal(await tip(alpha, 'master'), commit);
});

test('I9: nothing is pushed past what the protection of a branch wants, nor past the ways to merge of its settings', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.mayPush = true;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const before = await tip(alpha, 'master');
  const state = await tested(alpha, pull);
  await keep(there, state.commit);
  const submit = () => host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state });
  alpha.requiredApprovals = 1;
  assert.equal((await submit()).kind, 'refused');
  assert.equal(await tip(alpha, 'master'), before);
  alpha.requiredApprovals = 0;
  alpha.methods = { merge: false, squash: true, rebase: true };
  const merged = await submit();
  assert.ok(merged.kind === 'merged', JSON.stringify(merged));
  assert.equal(merged.state.tree, state.tree);
  assert.equal(await git(alpha, 'rev-parse', 'master^@'), before, 'squashed, as the settings say');
});

for (const [mode, mayPush] of [
  ['merge', true],
  ['merge', false],
  ['squash-merge', false],
  ['rebase', false],
] as const) {
  const by = mayPush ? 'a push' : 'GitHub';
  test(`I9: what was taken from a branch does not come back with a merge by ${mode} of ${by}`, async (t) => {
    const there = await openWorld(t);
    const { world, alpha, host } = there;
    alpha.mayPush = mayPush;
    const before = await tip(alpha, 'master');
    await move(there, { secret: '1' });
    const base = await tip(alpha, 'master');
    const pull = await propose(world, alpha, { files: { a: '1' } });
    const request = { ...(await testedRequest(there, idOf(alpha, pull))), base, mode };
    await setBranch(alpha.directory, 'master', before);
    const reason = standsOnTaken(base, { project: alpha.fullName, branch: 'master', head: '' });
    assert.deepEqual(await host.submit(gateActor, request), { kind: 'refused', reason });
    // It is approved again, and tested on what the branch is now.
    const again = { ...request, tested: await tested(alpha, pull), base: before };
    assert.deepEqual(await host.submit(gateActor, again), { kind: 'refused', reason });
    assert.equal(await tip(alpha, 'master'), before);
  });
}

const pullRule = {
  ...{ dismiss_stale_reviews_on_push: false, require_code_owner_review: false, require_last_push_approval: false },
  ...{ required_approving_review_count: 0, required_review_thread_resolution: false },
};

const lines: readonly (readonly [says: string, want: (alpha: RepositoryState) => void])[] = [
  [
    'a ruleset that wants a linear history',
    (alpha) => {
      alpha.rules = [{ type: 'required_linear_history' }];
    },
  ],
  [
    'a ruleset that allows squashing alone',
    (alpha) => {
      alpha.rules = [{ type: 'pull_request', parameters: { ...pullRule, allowed_merge_methods: ['squash'] } }];
    },
  ],
  [
    'a protection that wants a linear history and does not say so',
    (alpha) => {
      alpha.linear = true;
    },
  ],
];

for (const [says, want] of lines) {
  test(`I9: ${says} is met by what lands, with the tree that was tested`, async (t) => {
    const there = await openWorld(t);
    const { world, alpha, host } = there;
    const pull = await propose(world, alpha, { files: { a: '1' } });
    await move(there, { other: '1' });
    want(alpha);
    const before = await tip(alpha, 'master');
    const state = await tested(alpha, pull);
    assert.deepEqual(await host.canMerge(idOf(alpha, pull), []), { ok: true });
    const result = await host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state });
    assert.ok(result.kind === 'merged', JSON.stringify(result));
    assert.equal(result.state.tree, state.tree);
    assert.equal(await git(alpha, 'rev-parse', 'master^@'), before, 'one parent: no merge commit');
  });
}

test('I9: where rules and settings have no way to merge in common, that is said before any job runs', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host, open } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, pull);
  const request = await testedRequest(there, change);
  alpha.methods = { merge: true, squash: false, rebase: false };
  alpha.rules = [{ type: 'required_linear_history' }];
  const reason =
    'the rules of master allow to merge by squash or rebase, the settings of acme/alpha by merge: let both allow one way';
  assert.deepEqual(await host.canMerge(change, []), { ok: false, missing: [reason] });
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'refused', reason });
  alpha.rules = [];
  assert.deepEqual(await host.canMerge(change, []), { ok: true });
  alpha.linear = true;
  const person = open({ token: { env: 'TOKEN' } });
  assert.deepEqual(await person.host.canMerge(change, []), { ok: false, missing: [reason] });
  alpha.methods = { merge: true, squash: true, rebase: true };
  assert.deepEqual(await person.host.canMerge(change, []), { ok: true });
});

const verdicts = [
  ['status', { status: 'success', merge: true }],
  ['check', { check: 'success', merge: true }],
] as const;

for (const [kind, verdict] of verdicts) {
  test(`I9: a branch that requires Sluice's own ${kind} is merged: it is given before the merge, as Zuul gives it`, async (t) => {
    const { world, alpha, host } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    alpha.requiredChecks = ['sluice/gate'];
    const change = idOf(alpha, pull);
    const state = await tested(alpha, pull);
    const request = { change, patchset: 1, tested: state, verdict, pipeline: 'gate' };
    const said = () =>
      kind === 'status'
        ? alpha.statuses.map(({ given }) => given.state)
        : alpha.runs.map(({ given }) => given.conclusion);
    world.beforeMerge = async () => assert.deepEqual(said(), ['success']);
    assert.equal((await host.submit(gateActor, request)).kind, 'merged');
    const about = { pipeline: 'gate', action: 'success' };
    await host.report(gateActor, { key: 'k', change, patchset: 1, message: 'Merged.', body: verdict, about });
    assert.ok(alpha.runs.length <= 1, 'what is said after the merge is the same check');
  });

  test(`I9: where nothing was merged after all, Sluice's ${kind} is open again`, async (t) => {
    const { world, alpha, host } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    alpha.requiredChecks = ['sluice/gate', 'lint'];
    const request = { change: idOf(alpha, pull), patchset: 1, tested: await tested(alpha, pull) };
    const answer = await host.submit(gateActor, { ...request, verdict, pipeline: 'gate' });
    assert.ok(answer.kind === 'refused');
    assert.match(answer.reason, /"lint" is expected/);
    const last = kind === 'status' ? alpha.statuses.at(-1)?.given.state : alpha.runs.at(-1)?.given.status;
    assert.equal(last, kind === 'status' ? 'pending' : 'in_progress');
    assert.deepEqual((await host.canMerge(request.change, ['sluice/gate'])).ok, false);
    alpha.requiredChecks = ['sluice/gate'];
    assert.equal((await host.submit(gateActor, { ...request, verdict, pipeline: 'gate' })).kind, 'merged');
  });

  test(`Sluice's ${kind} is open again after a try that broke off, and stays where it was reported`, async (t) => {
    const { world, alpha, host } = await openWorld(t);
    const pull = await propose(world, alpha, { files: { a: '1' } });
    const change = idOf(alpha, pull);
    const request = { change, patchset: 1, tested: await tested(alpha, pull), verdict, pipeline: 'gate' };
    const withdraw = () => host.withdraw?.(gateActor, { request, reason: 'the server has died' });
    const said = () =>
      kind === 'status'
        ? alpha.statuses.map(({ given }) => given.state)
        : alpha.runs.map(({ given }) => given.conclusion ?? given.status);
    await withdraw();
    assert.deepEqual(said(), [], 'nothing was said');
    world.faults.push({ match: /^PUT .*\/merge$/, kind: 'unavailable', times: 100 });
    await assert.rejects(host.submit(gateActor, request));
    assert.deepEqual(said(), ['success']);
    for (const _ of ['once', 'again']) await withdraw();
    assert.deepEqual(said(), ['success', kind === 'status' ? 'pending' : 'in_progress']);
    const about = { pipeline: 'gate', action: 'success' };
    await host.report(gateActor, { key: 'k', change, patchset: 1, message: 'Passed.', body: verdict, about });
    await withdraw();
    assert.equal(said().at(-1), 'success', 'this is no word of a try');
  });
}

test('a branch that moved since the test is said before anything is merged', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const state = await tested(alpha, pull);
  await move(there, { other: '1' });
  const result = await host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state });
  assert.equal(result.kind, 'moved');
  assert.equal(pull.state, 'open');
});

test('what was tested together with more of the same repository is refused, for testing again is no help', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const onto = await tip(alpha, 'master');
  const both = await makeCommit(alpha.directory, { parents: [onto], files: { a: '1', b: '1' } });
  const tree = await git(alpha, 'rev-parse', `${both}^{tree}`);
  await keep(there, both);
  const state = { project: 'acme/alpha', branch: 'master', commit: both, tree };
  const result = await host.submit(gateActor, { change: idOf(alpha, pull), patchset: 1, tested: state });
  assert.equal(result.kind, 'refused');
  assert.equal(pull.state, 'open');
});

test('a branch that comes to the same tree by another commit is what was tested', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const first = await propose(world, alpha, { files: { a: '1' } });
  const second = await propose(world, alpha, { files: { b: '1' } });
  const ahead = await makeCommit(alpha.directory, { parents: [await tip(alpha, 'master')], files: { a: '1' } });
  const both = await makeCommit(alpha.directory, { parents: [ahead], files: { b: '1' } });
  const tree = await git(alpha, 'rev-parse', `${both}^{tree}`);
  const state = { project: 'acme/alpha', branch: 'master', commit: both, tree };
  const request = await testedRequest(there, idOf(alpha, first));
  await host.submit(gateActor, { ...request, mode: 'squash-merge' });
  const result = await host.submit(gateActor, { change: idOf(alpha, second), patchset: 1, tested: state });
  assert.equal(result.kind, 'merged');
});

test('a branch that moves in the moment of the merge is a loud error, never a silent merge', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const state = await tested(alpha, pull);
  world.beforeMerge = () => move(there, { other: '1' });
  const request = { change: idOf(alpha, pull), patchset: 1, tested: state };
  await assert.rejects(host.submit(gateActor, request), { name: 'OtherStateLanded' });
  const again = await host.submit(gateActor, request);
  assert.ok(again.kind === 'already-merged' && again.state.tree !== state.tree);
});

type Obstacle = (there: GithubWorld, pull: PullState) => unknown;
const refusals: readonly (readonly [says: string, obstacle: Obstacle, reason: RegExp])[] = [
  [
    'a draft',
    (_, pull) => {
      pull.draft = true;
    },
    /pull request 1 is a draft/,
  ],
  ['a closed one', ({ world }, pull) => closePull(world, pull, 'bob', null), /pull request 1 is closed/],
  ['a conflict', (there) => move(there, { a: '2' }), /conflicts with master: rebase it/],
  [
    'an archived repository',
    ({ alpha }) => {
      alpha.archived = true;
    },
    /archived/,
  ],
  [
    'a required check',
    ({ alpha }) => {
      alpha.requiredChecks = ['lint'];
    },
    /Required status check "lint" is expected/,
  ],
  [
    'a missing approval',
    ({ alpha }) => {
      alpha.requiredApprovals = 1;
    },
    /approving review is required/,
  ],
];

for (const [says, obstacle, reason] of refusals) {
  test(`refused with its reason: ${says}`, async (t) => {
    const there = await openWorld(t);
    const pull = await propose(there.world, there.alpha, { files: { a: '1' } });
    const request = await testedRequest(there, idOf(there.alpha, pull));
    await obstacle(there, pull);
    const result = await there.host.submit(gateActor, request);
    assert.ok(result.kind === 'refused');
    assert.match(result.reason, reason);
  });
}

test('a head that is pushed over in the moment of the merge is refused, and so is a way that is not allowed', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const request = await testedRequest(there, idOf(alpha, pull));
  alpha.methods.rebase = false;
  const other = await host.submit(gateActor, { ...request, mode: 'rebase' });
  assert.ok(other.kind === 'refused');
  assert.match(other.reason, /merging by rebase is not allowed/);
  // It is said before any job runs.
  assert.deepEqual(await host.canMerge(request.change, [], 'rebase'), { ok: false, missing: [other.reason] });
  assert.deepEqual(await host.canMerge(request.change, [], 'squash-merge'), { ok: true });
  world.beforeMerge = async () => {
    pull.head = await makeCommit(alpha.directory, { parents: [await tip(alpha, 'master')], files: { a: '2' } });
  };
  const result = await host.submit(gateActor, request);
  assert.ok(result.kind === 'refused');
  assert.match(result.reason, /Head branch was modified/);
});

test('what is in the way is told, but for what Sluice gives', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  alpha.requiredChecks = ['sluice/gate'];
  alpha.rules = [];
  assert.deepEqual(await host.canMerge(id, ['sluice/gate']), { ok: true });
  alpha.requiredChecks = ['sluice/gate', 'lint'];
  alpha.requiredApprovals = 1;
  const missing = ['the required check "lint" has not been reported'];
  assert.deepEqual(await host.canMerge(id, ['sluice/gate']), { ok: false, missing });
  alpha.statuses.push({ sha: pull.head, by: 'ci', time: pull.created, given: { context: 'lint', state: 'failure' } });
  const failing = await host.canMerge(id, ['sluice/gate']);
  assert.ok(!failing.ok);
  assert.match(failing.missing.join(), /"lint" is failure/);
  alpha.statuses.push({ sha: pull.head, by: 'ci', time: pull.created, given: { context: 'lint', state: 'success' } });
  addReview(world, pull, { user: 'bob', state: 'APPROVED' });
  assert.deepEqual(await host.canMerge(id, ['sluice/gate']), { ok: true });
});

test('what rulesets want is in the way too, and a merge queue of the host is left to it', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const missing = async () => {
    const answer = await host.canMerge(id, ['sluice/gate']);
    return answer.ok ? '' : answer.missing.join('; ');
  };
  const checks = [{ context: 'lint' }, { context: 'sluice/gate' }];
  const review = {
    ...{ dismiss_stale_reviews_on_push: false, require_code_owner_review: false, require_last_push_approval: false },
    ...{ required_approving_review_count: 2, required_review_thread_resolution: false },
  };
  alpha.rules = [
    {
      type: 'required_status_checks',
      parameters: { required_status_checks: checks, strict_required_status_checks_policy: false },
    },
    { type: 'pull_request', parameters: review },
  ];
  addReview(world, pull, { user: 'bob', state: 'APPROVED' });
  assert.match(
    await missing(),
    /^the required check "lint" has not been reported; 2 approvals are required, and there are 1$/,
  );
  addReview(world, pull, { user: 'root', state: 'APPROVED' });
  alpha.statuses.push({ sha: pull.head, by: 'ci', time: pull.created, given: { context: 'lint', state: 'success' } });
  assert.equal(await missing(), '');
  alpha.rules = [...alpha.rules, { type: 'merge_queue' }];
  assert.match(await missing(), /merge queue/);
});

test('what GitHub has not computed is asked for again', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  assert.equal(pull.test, null);
  assert.equal((await host.readChange(idOf(alpha, pull)))?.mergeable, true);
  assert.equal((pull.test as PullState['test'])?.of, await mergeKey(alpha, pull));
});

test('I9: while GitHub has not computed whether it can merge, it is away: nothing that was approved is refused', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, pull);
  world.computes = false;
  const request = await testedRequest(there, change);
  const away = { name: 'ChangeNotReady', message: /has not said yet whether pull request 1 can be merged/ };
  await assert.rejects(host.canMerge(change, []), away);
  await assert.rejects(host.submit(gateActor, request), away);
  assert.equal((await host.readChange(change))?.status, 'open', 'it can be read and checked meanwhile');
  world.computes = true;
  assert.deepEqual(await host.canMerge(change, []), { ok: true });
  assert.equal((await host.submit(gateActor, request)).kind, 'merged');
});
