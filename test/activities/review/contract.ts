import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import type { ReviewHost } from '../../../activities/review/port.ts';
import { type Actor, gateActor } from '../../../pipelines/model/actor.ts';
import type { Change } from '../../../pipelines/model/change.ts';

/** How the contract's tests act as developers and reviewers of one host. */
export interface ReviewWorld {
  readonly host: ReviewHost;
  /**
   * Pushes a commit with one file and answers with the change's id. `amend` makes it the next patch set of a change,
   * `onTopOf` puts it on a change's commit, `needs` names changes in `Depends-On:`.
   */
  push(commit: {
    readonly project: string;
    readonly file: string;
    readonly content: string;
    readonly amend?: string;
    readonly onTopOf?: string;
    readonly needs?: readonly string[];
  }): Promise<string>;
  vote(change: string, label: string, value: number): Promise<void>;
  abandon(change: string): Promise<void>;
  restore(change: string): Promise<void>;
  /** How a `Depends-On:` line names a change. */
  nameOf(change: Change): string;
  /** Moves a project's branch past the gate. */
  moveBranch(project: string): Promise<void>;
  /** Makes an annotated tag of what the branch is at. */
  tag(project: string, name: string): Promise<void>;
}

/**
 * The suite that every review system's adapter passes.
 *
 * @param open makes a world with the projects `alpha` and `beta`, each with a branch `master` that holds a file
 */
export function testReviewHost(name: string, open: (t: TestContext) => Promise<ReviewWorld>): void {
  const check = (says: string, body: (world: ReviewWorld) => Promise<void>) =>
    test(`${name}: ${says}`, async (t) => body(await open(t)));

  check('a pushed change can be read', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const change = await read(host, id);
    assert.equal(change.id, id);
    assert.equal(change.key, `${id},1`);
    assert.deepEqual([change.project, change.branch, change.patchset], ['alpha', 'master', 1]);
    assert.deepEqual([change.status, change.current, change.wip, change.mergeable], ['open', true, false, true]);
    assert.deepEqual(change.files, ['a']);
    assert.deepEqual([change.parents, change.dependsOn, change.votes], [[], [], []]);
    assert.equal(change.connection, host.connection);
  });

  check('what is not there reads as null', async ({ host }) => {
    for (const name of ['999999', 'nonsense', '../x', '', `${host.connection}:alpha/999999`]) {
      assert.equal(await host.readChange(name), null, name);
    }
  });

  check(
    'S1: what a branch is at, and was at, was merged; what was pushed was not',
    async ({ host, push, moveBranch }) => {
      const before = (await host.branchTip('alpha', 'master')) ?? '';
      const id = await push({ project: 'alpha', file: 'a', content: '1' });
      const result = await host.submit(gateActor, { change: id, patchset: 1, tested: null });
      assert.equal(result.kind, 'merged');
      if (!('state' in result)) assert.fail('it was not merged');
      const { state } = result;
      await moveBranch('alpha');
      const tip = (await host.branchTip('alpha', 'master')) ?? '';
      assert.deepEqual(await host.readMerged(state), { ...state, tip });
      const of = (commit: string, branch = 'master', project = 'alpha') => host.readMerged({ project, branch, commit });
      assert.deepEqual([(await of(before))?.commit, (await of(tip))?.commit], [before, tip]);
      const open = await push({ project: 'alpha', file: 'b', content: '1' });
      const pushed = (await read(host, open)).ref;
      for (const claim of [pushed, 'master', '0'.repeat(40)]) assert.equal(await of(claim), null, claim);
      assert.equal(await of(tip, 'other'), null);
      assert.equal(await of(tip, 'master', 'beta'), null);
    },
  );

  check('projects are listed', async ({ host }) => {
    const listed = await host.listProjects();
    assert.deepEqual(listed, listed.toSorted());
    assert.deepEqual(
      ['alpha', 'beta'].filter((name) => listed.includes(name)),
      ['alpha', 'beta'],
    );
  });

  check('a second push is the next patch set, and votes vanish', async ({ host, push, vote }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await vote(id, 'Approved', 1);
    assert.deepEqual(labels(await read(host, id)), [['Approved', 1]]);
    assert.equal(await push({ project: 'alpha', file: 'a', content: '2', amend: id }), id);
    const change = await read(host, id);
    assert.deepEqual([change.patchset, change.key, change.votes], [2, `${id},2`, []]);
  });

  check('a vote replaces the earlier one of the same person, and 0 takes it back', async ({ host, push, vote }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await vote(id, 'Approved', -1);
    await vote(id, 'Approved', 1);
    assert.deepEqual(labels(await read(host, id)), [['Approved', 1]]);
    await vote(id, 'Approved', 0);
    assert.deepEqual(labels(await read(host, id)), []);
  });

  check('parents and Depends-On are followed in both directions', async ({ host, push, nameOf }) => {
    const base = await push({ project: 'alpha', file: 'a', content: '1' });
    const top = await push({ project: 'alpha', file: 'b', content: '1', onTopOf: base });
    const other = await push({ project: 'beta', file: 'c', content: '1', needs: [nameOf(await read(host, base))] });
    assert.deepEqual((await read(host, top)).parents, [base]);
    assert.deepEqual((await read(host, other)).dependsOn, [base]);
    const needing = (await host.changesDependingOn(base)).map(({ id }) => id);
    assert.deepEqual(needing.sort(), [top, other].sort());
  });

  check('only open changes are listed', async ({ host, push, abandon, restore }) => {
    const [one, two] = [
      await push({ project: 'alpha', file: 'a', content: '1' }),
      await push({ project: 'beta', file: 'b', content: '1' }),
    ];
    await abandon(one);
    assert.equal((await read(host, one)).status, 'abandoned');
    assert.deepEqual(await openIds(host), [two]);
    await restore(one);
    assert.deepEqual(await openIds(host), [one, two].sort());
  });

  check('events are read from where the reader stopped', async ({ host, push, vote, abandon }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const first = await host.readEvents(id, 0);
    assert.deepEqual(types(first), ['patchset-created']);
    await vote(id, 'Approved', 1);
    await abandon(id);
    const rest = await host.readEvents(id, first.last);
    assert.deepEqual(types(rest), ['comment-added', 'change-abandoned']);
    assert.deepEqual(rest.events[0]?.approvals, [{ label: 'Approved', value: 1, oldValue: 0 }]);
    assert.ok(rest.events.every(({ change, project }) => change === id && project === 'alpha'));
    assert.deepEqual(await host.readEvents(id, rest.last), { events: [], last: rest.last });
  });

  check('a report votes and comments, once for each key', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const report = { key: 'k1', change: id, patchset: 1, message: 'Build succeeded.', body: { Verified: 1 } };
    await host.report(gateActor, report);
    await host.report(gateActor, report);
    assert.deepEqual(labels(await read(host, id)), [['Verified', 1]]);
    const { events } = await host.readEvents(id, 1);
    assert.deepEqual(
      events.map(({ type, comment }) => [type, comment]),
      [['comment-added', 'Build succeeded.']],
    );
  });

  check('a report on an old patch set does not vote', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await push({ project: 'alpha', file: 'a', content: '2', amend: id });
    await host.report(gateActor, {
      key: 'k',
      change: id,
      patchset: 1,
      message: 'late',
      body: { Verified: 1, submit: true },
    });
    assert.deepEqual((await read(host, id)).votes, []);
  });

  check('nobody but the gate reports or merges', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const ada: Actor = { name: 'ada', kind: 'person', via: 'ssh' };
    const report = { key: 'k', change: id, patchset: 1, message: 'fine', body: { Verified: 2 } };
    await assert.rejects(host.report(ada, report), { name: 'Denied' });
    await assert.rejects(host.submit(ada, { change: id, patchset: 1, tested: null }), { name: 'Denied' });
    const { status, votes } = await read(host, id);
    assert.deepEqual([status, votes], ['open', []]);
    assert.deepEqual(types(await host.readEvents(id, 0)), ['patchset-created']);
  });

  check('a report and a merge name who did them', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await host.report(gateActor, { key: 'k', change: id, patchset: 1, message: 'fine', body: { Verified: 1 } });
    await host.submit(gateActor, { change: id, patchset: 1, tested: null });
    const { events } = await host.readEvents(id, 1);
    assert.deepEqual([...new Set(events.map(({ account }) => account?.username))], [gateActor.name]);
  });

  check('what can be merged, and what is in the way of the rest', async ({ host, push, abandon }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    assert.deepEqual(await host.canMerge(id, ['Verified']), { ok: true });
    await abandon(id);
    const answer = await host.canMerge(id, ['Verified']);
    assert.ok(!answer.ok && answer.missing.length > 0 && answer.missing.every((each) => each !== ''));
    await assert.rejects(host.canMerge('999999', []), { name: 'UnknownChange' });
  });

  check('branches and tags are where the host has them', async ({ host, push, moveBranch, tag }) => {
    const before = (await host.branchTip('alpha', 'master')) ?? '';
    await tag('alpha', 'v1/first');
    await moveBranch('alpha');
    await push({ project: 'alpha', file: 'a', content: '1' });
    const [master, ...more] = await host.branches('alpha');
    assert.deepEqual(more, [], 'a change is no branch');
    assert.deepEqual([master?.name, master?.commit], ['master', await host.branchTip('alpha', 'master')]);
    assert.equal(master?.protected, true);
    assert.deepEqual(await host.tags('alpha'), [{ name: 'v1/first', commit: before }]);
    assert.deepEqual([await host.tags('beta'), await host.tags('none'), await host.branches('none')], [[], [], []]);
  });

  check('a project can be fetched, each patch set by its ref', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const { ref } = await read(host, id);
    const remote = host.gitRemote('alpha');
    const heads = await must('git', ['ls-remote', remote.url, 'refs/heads/master', ref], {
      env: await remote.access(),
    });
    const found = heads.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]);
    assert.deepEqual(found, [ref, 'refs/heads/master'].sort());
  });

  check('a change is merged once', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const merged = await host.submit(gateActor, { change: id, patchset: 1, tested: null });
    assert.equal(merged.kind, 'merged');
    const again = await host.submit(gateActor, { change: id, patchset: 1, tested: null });
    assert.deepEqual(again, { ...merged, kind: 'already-merged' });
    assert.equal((await read(host, id)).status, 'merged');
    assert.deepEqual(types(await host.readEvents(id, 1)), ['change-merged', 'ref-updated']);
  });

  check('an old patch set and an abandoned change are not merged', async ({ host, push, abandon }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await push({ project: 'alpha', file: 'a', content: '2', amend: id });
    assert.equal((await host.submit(gateActor, { change: id, patchset: 1, tested: null })).kind, 'refused');
    await abandon(id);
    assert.equal((await host.submit(gateActor, { change: id, patchset: 2, tested: null })).kind, 'refused');
  });

  check('a branch that moved makes the tested state void', async ({ host, push, moveBranch }) => {
    if (!host.capabilities.exactMerge) return;
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const other = await push({ project: 'alpha', file: 'b', content: '1' });
    const tested = await host.submit(gateActor, { change: other, patchset: 1, tested: null });
    assert.ok(tested.kind === 'merged');
    await moveBranch('alpha');
    const result = await host.submit(gateActor, { change: id, patchset: 1, tested: tested.state });
    assert.equal(result.kind, 'moved');
    assert.equal((await read(host, id)).status, 'open');
  });
}

async function read(host: ReviewHost, id: string): Promise<Change> {
  const change = await host.readChange(id);
  assert.ok(change !== null, `there is no change ${id}`);
  return change;
}

async function openIds(host: ReviewHost): Promise<string[]> {
  return (await host.listOpenChanges()).map(({ id }) => id).sort();
}

function labels({ votes }: Change): [string, number][] {
  return votes.map(({ label, value }) => [label, value]);
}

function types({ events }: { readonly events: readonly { readonly type: string }[] }): string[] {
  return events.map(({ type }) => type);
}
