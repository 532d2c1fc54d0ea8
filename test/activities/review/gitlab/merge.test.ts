import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SubmitResult } from '../../../../activities/review/port.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { makeCommit, setBranch } from '../../git/repository.ts';
import { git, tip } from '../github/server/state.ts';
import { prepare, testedRequest } from '../tested.ts';
import { headOf, nextId, type ProjectState, type RequestState, type World } from './server/state.ts';
import { type GitlabWorld, idOf, openWorld, propose, pushOver } from './world.ts';

async function moveBranch({ alpha }: GitlabWorld, files: Readonly<Record<string, string>>): Promise<void> {
  const parents = [await tip(alpha, 'master')];
  await setBranch(alpha.directory, 'master', await makeCommit(alpha.directory, { parents, files }));
}

test('the tested commit itself is pushed where Sluice may, and GitLab sees it by and by', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  alpha.mayPush = true;
  world.lag = 2;
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  await moveBranch(place, { b: '1' });
  const tested = await prepare(place, [change]);
  const request = { change, patchset: 1, tested, mode: 'merge' } as const;
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'merged', state: tested });
  assert.equal(await tip(alpha, 'master'), tested.commit);
  assert.equal((await host.readChange(change))?.status, 'merged');
  assert.ok(!world.asked.some((each) => each.startsWith('PUT')), 'GitLab itself has merged nothing');
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'already-merged', state: tested });
});

test('a push that GitLab does not see in time is asked for again, and found', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, open } = place;
  const { host } = open({}, 400);
  alpha.mayPush = true;
  world.lag = 1_000;
  const merge = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, merge);
  const tested = await prepare(place, [change]);
  await assert.rejects(host.submit(gateActor, { change, patchset: 1, tested }), { name: 'HostAway' });
  assert.equal(await tip(alpha, 'master'), tested.commit);
  merge.state = 'merged';
  merge.mergeCommit = tested.commit;
  const again = await host.submit(gateActor, { change, patchset: 1, tested });
  assert.deepEqual(again, { kind: 'already-merged', state: tested });
});

test('two merge requests of one project that need each other land in one push', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  alpha.mayPush = true;
  const changes = [];
  for (const file of ['a', 'b']) changes.push(idOf(alpha, await propose(world, alpha, { files: { [file]: '1' } })));
  const tested = await prepare(place, changes);
  const kinds = [];
  for (const change of changes) kinds.push((await host.submit(gateActor, { change, patchset: 1, tested })).kind);
  // GitLab may have seen the other one before it is asked for.
  assert.deepEqual([kinds.length, kinds.every((kind) => kind.endsWith('merged'))], [2, true], kinds.join());
  assert.equal(await tip(alpha, 'master'), tested.commit);
});

test('without the right to push GitLab merges, and the trees are the same', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  await moveBranch(place, { b: '1' });
  const tested = await prepare(place, [change]);
  const result = await host.submit(gateActor, { change, patchset: 1, tested, mode: 'merge' });
  assert.ok(result.kind === 'merged');
  assert.equal(result.state.tree, tested.tree);
  assert.notEqual(result.state.commit, tested.commit);
});

test('a branch that moves in the moment of the merge is an error that says so', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  const tested = await prepare(place, [change]);
  world.beforeMerge = () => moveBranch(place, { c: '1' });
  await assert.rejects(host.submit(gateActor, { change, patchset: 1, tested }), /somebody moved master at that moment/);
});

test('a head that moves in the moment of the merge is not merged', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const request = await propose(world, alpha, { files: { a: '1' } });
  const asked = await testedRequest(there, idOf(alpha, request));
  world.beforeMerge = () => pushOver(world, alpha, { request, files: { a: '2' } });
  const result = await host.submit(gateActor, asked);
  assert.match(reasonOf(result), /\(409\): SHA does not match HEAD/);
  assert.equal(request.state, 'opened');
});

function reasonOf(result: SubmitResult): string {
  assert.equal(result.kind, 'refused', JSON.stringify(result));
  return 'reason' in result ? result.reason : '';
}

test('squashed, rebased: as the project merges, and only as it does', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  const submit = async (mode: 'merge' | 'squash-merge' | 'rebase', file: string) => {
    const change = idOf(alpha, await propose(world, alpha, { files: { [file]: '1' } }));
    return host.submit(gateActor, { change, patchset: 1, tested: await prepare(place, [change], mode), mode });
  };
  const squashed = await submit('squash-merge', 's');
  assert.equal(squashed.kind, 'merged');
  assert.equal((await git(alpha, 'rev-list', '--parents', '-1', 'master')).split(' ').length, 2);
  alpha.method = 'ff';
  assert.equal((await submit('rebase', 'r')).kind, 'merged');
  assert.match(reasonOf(await submit('merge', 'm')), /does not merge by merge/);
  alpha.method = 'merge';
  alpha.squash = 'never';
  const refusal = reasonOf(await submit('squash-merge', 'n'));
  assert.match(refusal, /does not merge by squash-merge/);
  // It is said before any job runs; not where it is pushed.
  const last = idOf(alpha, await propose(world, alpha, { files: { l: '1' } }));
  assert.deepEqual(await host.canMerge(last, [], 'squash-merge'), { ok: false, missing: [refusal] });
  assert.deepEqual(await host.canMerge(last, [], 'merge'), { ok: true });
  alpha.squash = 'always';
  assert.match(reasonOf(await submit('merge', 'a')), /does not merge by merge/);
});

function addStatus(project: ProjectState, request: RequestState, given: { name: string; status: string }): void {
  const more = { targetUrl: null, description: null, author: 'ci', allowFailure: false };
  project.statuses.push({ id: nextId(), sha: headOf(request), ref: 'topic', ...given, ...more });
}

interface Obstacle {
  readonly says: string;
  readonly put: (project: ProjectState, request: RequestState) => void;
  readonly missing: RegExp;
}

const obstacles: readonly Obstacle[] = [
  { says: 'a draft', put: (_, request) => Object.assign(request, { draft: true }), missing: /is a draft/ },
  { says: 'a closed one', put: (_, request) => Object.assign(request, { state: 'closed' }), missing: /is closed/ },
  {
    says: 'one with open threads',
    put(project, request) {
      project.threadsRequired = true;
      request.openThreads = 1;
    },
    missing: /not all of its threads are resolved/,
  },
  {
    says: 'one that lacks approvals',
    put: (project, request) => Object.assign(project, { approvalsRequired: 2 }) && request.approvedBy.push('bob'),
    missing: /it has 1 of 2 approvals/,
  },
  {
    says: 'one that somebody wants changed',
    put: (_, request) => request.changesWantedBy.push('eve'),
    missing: /eve asked for changes/,
  },
  {
    says: "one whose pipeline's other part failed",
    put(project, request) {
      project.pipelineRequired = true;
      addStatus(project, request, { name: 'unit', status: 'failed' });
      addStatus(project, request, { name: 'sluice/gate', status: 'pending' });
    },
    missing: /the status unit is failed/,
  },
  { says: 'an archived project', put: (project) => Object.assign(project, { archived: true }), missing: /is archived/ },
  {
    says: 'a branch that is closed to Sluice',
    put: (project) => Object.assign(project, { mayMerge: false }),
    missing: /may not merge into master/,
  },
];

test('what is in the way is said before any job, and of a merge too', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const usual = structuredClone({ ...alpha, requests: [], statuses: [], hooks: [], labels: [] });
  const { threadsRequired, approvalsRequired, pipelineRequired, archived, mayMerge } = usual;
  for (const { says, put, missing } of obstacles) {
    const request = await propose(world, alpha, { files: { a: says } });
    const change = idOf(alpha, request);
    const asked = await testedRequest(there, change);
    put(alpha, request);
    // A right to push goes past nothing that GitLab asks for.
    for (const mayPush of [false, ...(mayMerge === alpha.mayMerge ? [true] : [])]) {
      alpha.mayPush = mayPush;
      const answer = await host.canMerge(change, ['sluice/gate']);
      assert.match(answer.ok ? '' : answer.missing.join(), missing, says);
      assert.match(reasonOf(await host.submit(gateActor, asked)), missing, says);
    }
    Object.assign(alpha, { threadsRequired, approvalsRequired, pipelineRequired, archived, mayMerge, mayPush: false });
  }
});

test('I9: a head that comes while the host is waited for keeps what was tested from being merged', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.mayPush = true;
  const request = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, request);
  const state = await prepare(there, [change]);
  const before = await tip(alpha, 'master');
  request.looked = null;
  world.onAnswered = async (asked) => {
    if (!asked.endsWith('/branches/master')) return;
    world.onAnswered = null;
    await pushOver(world, alpha, { request, files: { a: '2' } });
  };
  const result = await host.submit(gateActor, { change, patchset: 1, tested: state });
  assert.ok(result.kind === 'refused', result.kind);
  assert.match(result.reason, /acme\/tools\/alpha!1 has got a new head, /);
  assert.equal(await tip(alpha, 'master'), before);
});

test('where a pipeline must succeed, what Sluice gives is given as it merges', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.pipelineRequired = true;
  const [one, two, three] = [
    await propose(world, alpha, { files: { a: '1' } }),
    await propose(world, alpha, { files: { b: '1' } }),
    await propose(world, alpha, { files: { c: '1' } }),
  ];
  addStatus(alpha, two, { name: 'unit', status: 'success' });
  addStatus(alpha, two, { name: 'sluice/gate', status: 'pending' });
  addStatus(alpha, three, { name: 'sluice/check', status: 'failed' });
  for (const request of [one, two]) {
    const change = idOf(alpha, request);
    assert.deepEqual(await host.canMerge(change, ['sluice/gate']), { ok: true });
    assert.equal((await host.submit(gateActor, await testedRequest(there, change))).kind, 'merged');
  }
  const failed = await host.submit(gateActor, await testedRequest(there, idOf(alpha, three)));
  assert.match(reasonOf(failed), /the status sluice\/check is failed|its pipeline is failed/);
});

test('what was given for a merge that did not come about is open again', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  alpha.pipelineRequired = true;
  const request = await propose(world, alpha, { files: { a: '1' } });
  addStatus(alpha, request, { name: 'sluice/gate', status: 'pending' });
  addStatus(alpha, request, { name: 'sluice/check', status: 'success' });
  const change = idOf(alpha, request);
  const asked = { change, patchset: 1, tested: await prepare(there, [change]) };
  const last = (name: string) => alpha.statuses.findLast((each) => each.name === name)?.status;
  world.faults.push({ match: /^PUT .*\/merge$/, kind: 406, times: 1 });
  reasonOf(await host.submit(gateActor, asked));
  assert.equal(last('sluice/gate'), 'pending', 'it was refused');
  world.faults.push({ match: /^PUT .*\/merge$/, kind: 'unavailable', times: 100 });
  await assert.rejects(host.submit(gateActor, asked));
  assert.equal(last('sluice/gate'), 'success', 'the try broke off');
  const count = alpha.statuses.length;
  for (const _ of ['once', 'again'])
    await host.withdraw?.(gateActor, { request: asked, reason: 'the server has died' });
  assert.deepEqual([last('sluice/gate'), last('sluice/check')], ['pending', 'success']);
  assert.equal(alpha.statuses.length, count + 1);
});

test('a conflict that GitLab finds is said before any job, and is none where Sluice may push', async (t) => {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  alpha.anxious = true;
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  const tested = await prepare(place, [change]);
  const request = { change, patchset: 1, tested, mode: 'merge' } as const;
  const answer = await host.canMerge(change, []);
  assert.match(answer.ok ? '' : answer.missing.join(), /the host finds a conflict of lab:.* with master/);
  assert.match(reasonOf(await host.submit(gateActor, request)), /the host finds a conflict with master: rebase it/);
  alpha.mayPush = true;
  assert.deepEqual(await host.canMerge(change, []), { ok: true });
  assert.deepEqual(await host.submit(gateActor, request), { kind: 'merged', state: tested });
});

test('what GitLab answers to a merge is told, and what it has done is found', async (t) => {
  const there = await openWorld(t);
  const { world, alpha, host } = there;
  const submit = async (fault: Partial<World['faults'][number]>) => {
    const change = idOf(alpha, await propose(world, alpha, { files: { [`f${alpha.requests.length}`]: '1' } }));
    const request = await testedRequest(there, change);
    world.faults.push({ match: /^PUT .*\/merge$/, kind: 405, times: 1, ...fault });
    return host.submit(gateActor, request);
  };
  for (const kind of [401, 405, 406, 409] as const)
    assert.match(reasonOf(await submit({ kind })), new RegExp(`(${kind})`));
  for (const kind of ['cut', 'html', 'busy', 405] as const) {
    const result = await submit({ kind, done: true });
    assert.match(result.kind, /merged/, String(kind));
  }
});

const lines = (...all: string[]) => `${all.join('\n')}\n`;
const numbers = Array.from({ length: 40 }, (_, index) => `line ${index}`);
const block = ['begin', '  step', 'end'];
type Files = Readonly<Record<string, string | null>>;

/** What was there, what the branch got meanwhile, and what the change does: where merges of programs may differ. */
const table: readonly { readonly says: string; readonly base: Files; readonly ours: Files; readonly theirs: Files }[] =
  [
    {
      says: 'a renamed file that the other side edits',
      base: { old: lines(...numbers) },
      ours: { old: null, new: lines(...numbers) },
      theirs: { old: lines(...numbers, 'more') },
    },
    {
      says: 'blocks that are alike',
      base: { blocks: lines(...block, '', ...block, '', ...block) },
      ours: { blocks: lines(...block, '', ...block, '', ...block, '', ...block) },
      theirs: { blocks: lines('head', '', ...block, '', ...block, '', ...block) },
    },
    {
      says: 'a file that both sides add to, merged by union',
      base: { '.gitattributes': 'news merge=union\n', news: lines('first') },
      ours: { news: lines('first', 'ours') },
      theirs: { news: lines('first', 'theirs') },
    },
  ];

async function mergeRow(t: TestContext, { base, ours, theirs }: (typeof table)[number], mayPush: boolean) {
  const place = await openWorld(t);
  const { world, alpha, host } = place;
  alpha.mayPush = mayPush;
  const { directory } = alpha;
  const below = await makeCommit(directory, { parents: [await tip(alpha, 'master')], files: base });
  await setBranch(directory, 'master', await makeCommit(directory, { parents: [below], files: ours }));
  const change = idOf(alpha, await propose(world, alpha, { files: theirs, onTopOf: below }));
  const tested = await prepare(place, [change]);
  const fits = await host.canMerge(change, []);
  const result = await host.submit(gateActor, { change, patchset: 1, tested, mode: 'merge' });
  if (!('state' in result)) return assert.ok(!fits.ok && /conflict/.test(fits.missing.join()), JSON.stringify(result));
  assert.equal(result.state.tree, tested.tree);
  assert.equal(result.state.commit === tested.commit, mayPush);
}

for (const row of table) {
  test(`the tree that was tested lands, or it is said before: ${row.says}`, async (t) => {
    for (const mayPush of [true, false]) await mergeRow(t, row, mayPush);
  });
}
