import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Git } from '../../../activities/git/port.ts';
import { must } from '../../../activities/process/run.ts';
import type { ReviewHost, ReviewReport } from '../../../activities/review/port.ts';
import { type Actor, gateActor } from '../../../pipelines/model/actor.ts';
import type { Change, TriggerEvent } from '../../../pipelines/model/change.ts';
import { testedRequest } from './tested.ts';

/** What a host says in other words than plain Git. */
export interface Words {
  /** The full name of the project that the tests call `alpha` or `beta`. */
  readonly project: (name: string) => string;
  /** An event, as plain Git calls its type. */
  readonly event: (event: TriggerEvent) => string;
  /** Whether a branch that moves is among a change's events; else the host posts it. */
  readonly refEvents: boolean;
  /** A host that does not say who may move a branch. */
  readonly unprotected?: boolean;
  /** A host where one branch of commits is one change. */
  readonly unstacked?: boolean;
  /** Sluice's own host, whose history says of which pipeline a report is: its events do not. */
  readonly untold?: boolean;
  /** The label that `vote` gives in a change's votes. */
  readonly approved: string;
  /** A reporter's body by which Sluice gives its verdict, and the name of what is given. */
  readonly verdict: { readonly own: string; readonly body: (value: 1 | -1) => ReviewReport['body'] };
  /** The verdicts of Sluice that the host has on a change's current patch set. */
  readonly verdicts: (change: string) => Promise<readonly number[]>;
  /** The account that Sluice has there. */
  readonly account: string;
}

/** How the contract's tests act as developers and reviewers of one host. */
export interface ReviewWorld {
  readonly host: ReviewHost;
  /** What the adapter fetches into, and states are tested from. */
  readonly git: Git;
  /** Absent for a host that speaks as plain Git does. */
  readonly words?: Words;
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
  const check = (says: string, body: (world: Required<ReviewWorld>) => Promise<void>) =>
    test(`${name}: ${says}`, async (t) => {
      const world = await open(t);
      await body({ words: plain(world.host), ...world });
    });

  check('a pushed change can be read', async ({ host, push, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const change = await read(host, id);
    assert.equal(change.id, id);
    assert.equal(change.key, `${id},1`);
    assert.deepEqual([change.project, change.branch, change.patchset], [words.project('alpha'), 'master', 1]);
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

  check('a bare number names the one open change that has it', async ({ host, push }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const number = /[:#!](\d+)$/.exec(id)?.[1];
    if (number === undefined) return;
    assert.equal((await host.readChange(number))?.id, id);
    const other = await push({ project: 'beta', file: 'a', content: '1' });
    const isAlone = !other.endsWith(number);
    assert.equal((await host.readChange(number))?.id, isAlone ? id : undefined);
  });

  check(
    'S1: what a branch is at, and was at, was merged; what was pushed was not',
    async ({ host, git, push, moveBranch, words }) => {
      const [alpha, beta] = [words.project('alpha'), words.project('beta')];
      const before = (await host.branchTip(alpha, 'master')) ?? '';
      const id = await push({ project: 'alpha', file: 'a', content: '1' });
      const result = await host.submit(gateActor, await testedRequest({ host, git }, id));
      assert.equal(result.kind, 'merged');
      if (!('state' in result)) assert.fail('it was not merged');
      const { state } = result;
      await moveBranch('alpha');
      const tip = (await host.branchTip(alpha, 'master')) ?? '';
      assert.deepEqual(await host.readMerged(state), { ...state, tip });
      const of = (commit: string, branch = 'master', project = alpha) => host.readMerged({ project, branch, commit });
      assert.deepEqual([(await of(before))?.commit, (await of(tip))?.commit], [before, tip]);
      const open = await push({ project: 'alpha', file: 'b', content: '1' });
      const pushed = (await read(host, open)).ref;
      for (const claim of [pushed, 'master', '0'.repeat(40)]) assert.equal(await of(claim), null, claim);
      assert.equal(await of(tip, 'other'), null);
      const standing = (branch: string) => host.readStanding({ project: alpha, branch });
      assert.deepEqual(await standing('master'), { project: alpha, kept: true });
      for (const { name, protected: shut } of await host.branches(alpha)) {
        assert.deepEqual(await standing(name), { project: alpha, kept: shut || name === 'master' }, name);
      }
      assert.equal(await of(tip, 'master', beta), null);
    },
  );

  check('projects are listed', async ({ host, words }) => {
    const listed = await host.listProjects();
    assert.deepEqual(listed, listed.toSorted());
    const [alpha, beta] = [words.project('alpha'), words.project('beta')];
    assert.deepEqual([listed.includes(alpha), listed.includes(beta)], [true, true]);
  });

  check('a second push is the next patch set, and votes vanish', async ({ host, push, vote, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await vote(id, 'Approved', 1);
    assert.deepEqual(labels(await read(host, id)), [[words.approved, 1]]);
    assert.equal(await push({ project: 'alpha', file: 'a', content: '2', amend: id }), id);
    const change = await read(host, id);
    assert.deepEqual([change.patchset, change.key, change.votes], [2, `${id},2`, []]);
  });

  check('a vote replaces the earlier one of the same person, and 0 takes it back', async (world) => {
    const { host, push, vote, words } = world;
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await vote(id, 'Approved', -1);
    await vote(id, 'Approved', 1);
    assert.deepEqual(labels(await read(host, id)), [[words.approved, 1]]);
    await vote(id, 'Approved', 0);
    assert.deepEqual(labels(await read(host, id)), []);
  });

  check('parents and Depends-On are followed in both directions', async ({ host, push, nameOf, words }) => {
    const base = await push({ project: 'alpha', file: 'a', content: '1' });
    const top = await push({ project: 'alpha', file: 'b', content: '1', onTopOf: base });
    const other = await push({ project: 'beta', file: 'c', content: '1', needs: [nameOf(await read(host, base))] });
    const stacked = words.unstacked !== true;
    assert.deepEqual((await read(host, top)).parents, stacked ? [base] : []);
    assert.deepEqual((await read(host, other)).dependsOn, [base]);
    const needing = (await host.changesDependingOn(base)).map(({ id }) => id);
    assert.deepEqual(needing.sort(), (stacked ? [top, other] : [other]).sort());
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

  check('events are read from where the reader stopped', async (world) => {
    const { host, push, vote, abandon, words } = world;
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const first = await host.readEvents(id, 0);
    assert.deepEqual(types(world, first), ['patchset-created']);
    await vote(id, 'Approved', 1);
    await abandon(id);
    const rest = await host.readEvents(id, first.last);
    assert.deepEqual(types(world, rest), ['comment-added', 'change-abandoned']);
    const given = rest.events[0]?.approvals?.map(({ label, value }) => [label, value]);
    assert.deepEqual(given, [[words.approved, 1]]);
    assert.ok(rest.events.every(({ change, project }) => change === id && project === words.project('alpha')));
    const none = await host.readEvents(id, rest.last);
    assert.deepEqual([none.events, none.last], [[], rest.last]);
  });

  check('a report votes and comments, once for each key', async ({ host, push, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const body = words.verdict.body(1);
    const report = { key: 'k1', change: id, patchset: 1, message: 'Build succeeded.', body };
    await host.report(gateActor, report);
    await host.report(gateActor, report);
    assert.deepEqual(await words.verdicts(id), [1]);
    const { events } = await host.readEvents(id, 1);
    assert.deepEqual(
      events.map((event) => [words.event(event), event.comment]),
      [['comment-added', 'Build succeeded.']],
    );
  });

  check(
    'of which pipeline a report is, and what that came to, is told of each',
    async ({ host, push, words: { untold } }) => {
      if (untold) return;
      const id = await push({ project: 'alpha', file: 'a', content: '1' });
      const told = async () =>
        (await host.readEvents(id, 0)).events.flatMap(({ type, pipeline, action, patchset }) =>
          type === 'report' && pipeline !== undefined ? [[pipeline, action, patchset]] : [],
        );
      const tell = (pipeline: string, action: string) => {
        const about = { pipeline, action };
        const message = `${pipeline}: ${action}.`;
        return host.report(gateActor, { key: message, change: id, patchset: 1, message, about, body: {} });
      };
      const words: string[][] = [];
      for (const [pipeline, action] of [
        ['check', 'merge-conflict'],
        ['gate', 'failure'],
        ['check', 'success'],
      ] as const) {
        await tell(pipeline, action);
        words.push([pipeline, action]);
        assert.deepEqual(
          await told(),
          words.map((word) => [...word, 1]),
        );
      }
    },
  );

  check('a report on an old patch set does not vote', async ({ host, push, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    await push({ project: 'alpha', file: 'a', content: '2', amend: id });
    await host.report(gateActor, {
      key: 'k',
      change: id,
      patchset: 1,
      message: 'late',
      body: { ...words.verdict.body(1), submit: true },
    });
    assert.deepEqual(await words.verdicts(id), []);
  });

  check('nobody but the gate reports or merges', async (world) => {
    const { host, push, words } = world;
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const ada: Actor = { name: 'ada', kind: 'person', via: 'ssh' };
    const report = { key: 'k', change: id, patchset: 1, message: 'fine', body: words.verdict.body(1) };
    await assert.rejects(host.report(ada, report), { name: 'Denied' });
    const request = await testedRequest(world, id);
    await assert.rejects(host.submit(ada, request), { name: 'Denied' });
    assert.equal((await read(host, id)).status, 'open');
    assert.deepEqual(await words.verdicts(id), []);
    assert.deepEqual(types(world, await host.readEvents(id, 0)), ['patchset-created']);
  });

  check('a report and a merge name who did them', async ({ host, git, push, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const body = words.verdict.body(1);
    await host.report(gateActor, { key: 'k', change: id, patchset: 1, message: 'fine', body });
    await host.submit(gateActor, await testedRequest({ host, git }, id));
    const { events } = await host.readEvents(id, 1);
    assert.deepEqual([...new Set(events.map(({ account }) => account?.username))], [words.account]);
  });

  check('what can be merged, and what is in the way of the rest', async ({ host, push, abandon, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const { own } = words.verdict;
    assert.deepEqual(await host.canMerge(id, [own]), { ok: true });
    await abandon(id);
    const answer = await host.canMerge(id, [own]);
    assert.ok(!answer.ok && answer.missing.length > 0 && answer.missing.every((each) => each !== ''));
    await assert.rejects(host.canMerge('999999', []), { name: 'UnknownChange' });
  });

  check('branches and tags are where the host has them', async ({ host, push, moveBranch, tag, words }) => {
    const [alpha, beta] = [words.project('alpha'), words.project('beta')];
    const before = (await host.branchTip(alpha, 'master')) ?? '';
    await tag('alpha', 'v1/first');
    await moveBranch('alpha');
    await push({ project: 'alpha', file: 'a', content: '1' });
    const [master, ...more] = await host.branches(alpha);
    assert.deepEqual(more, [], 'a change is no branch');
    assert.deepEqual([master?.name, master?.commit], ['master', await host.branchTip(alpha, 'master')]);
    assert.equal(master?.protected, words.unprotected !== true);
    assert.deepEqual(await host.tags(alpha), [{ name: 'v1/first', commit: before }]);
    assert.deepEqual([await host.tags(beta), await host.tags('none'), await host.branches('none')], [[], [], []]);
  });

  check('a project can be fetched, each patch set by its ref', async ({ host, push, words }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const { ref } = await read(host, id);
    const remote = host.gitRemote(words.project('alpha'));
    const heads = await must('git', ['ls-remote', remote.url, 'refs/heads/master', ref], {
      env: await remote.access(),
    });
    const found = heads.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]);
    assert.deepEqual(found, [ref, 'refs/heads/master'].sort());
  });

  check('a change is merged once', async (world) => {
    const { host, push, words } = world;
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const request = await testedRequest(world, id);
    const merged = await host.submit(gateActor, request);
    assert.ok(merged.kind === 'merged', JSON.stringify(merged));
    assert.equal(merged.state.tree, request.tested.tree);
    const again = await host.submit(gateActor, request);
    assert.deepEqual(again, { ...merged, kind: 'already-merged' });
    assert.equal((await read(host, id)).status, 'merged');
    const happened = ['change-merged', ...(words.refEvents ? ['ref-updated'] : [])];
    assert.deepEqual(types(world, await host.readEvents(id, 1)), happened);
  });

  check('an old patch set and an abandoned change are not merged', async ({ host, git, push, abandon }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const first = await testedRequest({ host, git }, id);
    await push({ project: 'alpha', file: 'a', content: '2', amend: id });
    assert.equal((await host.submit(gateActor, first)).kind, 'refused');
    const second = await testedRequest({ host, git }, id);
    await abandon(id);
    assert.equal((await host.submit(gateActor, second)).kind, 'refused');
  });

  check('a branch that moved makes the tested state void', async ({ host, git, push, moveBranch }) => {
    const id = await push({ project: 'alpha', file: 'a', content: '1' });
    const request = await testedRequest({ host, git }, id);
    await moveBranch('alpha');
    assert.equal((await host.submit(gateActor, request)).kind, 'moved');
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

function types({ words }: Pick<Required<ReviewWorld>, 'words'>, { events }: { events: readonly TriggerEvent[] }) {
  return events.map((event) => words.event(event));
}

/** As plain Git has it. */
function plain(host: ReviewHost): Words {
  return {
    project: (name) => name,
    event: ({ type }) => type,
    refEvents: true,
    untold: true,
    approved: 'Approved',
    verdict: { own: 'Verified', body: (value) => ({ Verified: value }) },
    verdicts: async (change) => (await read(host, change)).votes.map(({ value }) => value),
    account: gateActor.name,
  };
}
