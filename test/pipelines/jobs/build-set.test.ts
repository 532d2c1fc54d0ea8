import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyBuild, currentBuilds, startBuildSet } from '../../../pipelines/jobs/build-set.ts';
import { freely, pendingBuilds } from '../../../pipelines/jobs/pending.ts';
import { buildSetResult, isFailing, isOver } from '../../../pipelines/jobs/result.ts';
import type { BuildOutcome, BuildSetState } from '../../../pipelines/jobs/state.ts';
import type { BuildResult, FrozenJob } from '../../../pipelines/model/job.ts';
import { graph, job } from './sample.ts';

/** Plays `JOB RESULT` steps one after the other: each job is started as its next attempt, and ends at once. */
function play(state: BuildSetState, steps: readonly string[], more: Partial<BuildOutcome> = {}): BuildSetState {
  return steps.reduce((now, step) => {
    const [name = '', result = ''] = step.split(' ');
    const next = pendingBuilds(now, freely).start.find((one) => one.job.key === name);
    const running = currentBuilds(now).get(name);
    const key = running?.result === null ? running.key : next?.key;
    assert.ok(key, `${name} cannot run now`);
    const started = running ? now : applyBuild(now, { type: 'started', build: key, time: 1 });
    if (result === 'STARTED') return started;
    const outcome = { result: result as BuildResult, time: 2, ...more };
    return applyBuild(started, { type: result === 'PAUSE' ? 'paused' : 'ended', build: key, outcome });
  }, state);
}

function startable(state: BuildSetState): readonly string[] {
  return pendingBuilds(state, freely).start.map(({ key }) => key);
}

function results(state: BuildSetState): Readonly<Record<string, string | null>> {
  return Object.fromEntries([...currentBuilds(state)].map(([name, { result }]) => [name, result]));
}

interface Row {
  readonly says: string;
  readonly jobs: readonly (string | FrozenJob)[];
  readonly failFast?: boolean;
  readonly steps: readonly string[];
  readonly more?: Partial<BuildOutcome>;
  readonly results: Readonly<Record<string, string | null>>;
  readonly start?: readonly string[];
  readonly result: string | null;
}

const rows: readonly Row[] = [
  {
    says: 'a job starts once all that it depends on has succeeded',
    jobs: ['build', 'unit > build', 'lint'],
    steps: ['build SUCCESS'],
    results: { build: 'SUCCESS' },
    start: ['unit/1', 'lint/1'],
    result: null,
  },
  {
    says: 'what depends on a failed job is skipped, through any number of steps and also softly',
    jobs: ['build', 'unit > build', 'publish > unit?'],
    steps: ['build FAILURE'],
    results: { build: 'FAILURE', unit: 'SKIPPED', publish: 'SKIPPED' },
    result: 'FAILURE',
  },
  {
    says: 'a soft dependency that was skipped is good enough, a hard one is not',
    jobs: ['build', 'unit > build', 'lint > build', 'publish > unit? lint'],
    steps: ['build SUCCESS', 'lint SUCCESS'],
    more: { childJobs: ['lint'] },
    results: { build: 'SUCCESS', unit: 'SKIPPED', lint: 'SUCCESS', publish: 'SKIPPED' },
    result: 'SUCCESS',
  },
  {
    says: 'an empty list of child jobs skips all of them, but for soft dependents',
    jobs: ['build', 'unit > build', 'publish > build?'],
    steps: ['build SUCCESS'],
    more: { childJobs: [] },
    results: { build: 'SUCCESS', unit: 'SKIPPED' },
    start: ['publish/1'],
    result: null,
  },
  {
    says: 'a retry is another attempt, and no failure',
    jobs: ['unit'],
    steps: ['unit RETRY'],
    results: {},
    start: ['unit/2'],
    result: null,
  },
  {
    says: 'the last attempt ends in RETRY_LIMIT',
    jobs: [job('unit', { attempts: 2 })],
    steps: ['unit RETRY', 'unit RETRY'],
    results: { unit: 'RETRY_LIMIT' },
    result: 'FAILURE',
  },
  {
    says: 'a lost executor is always another attempt',
    jobs: [job('unit', { attempts: 1 })],
    steps: ['unit ABORTED', 'unit ABORTED', 'unit SUCCESS'],
    results: { unit: 'SUCCESS' },
    result: 'SUCCESS',
  },
  {
    says: 'a merge conflict in the executor is tried again, and kept at the last attempt',
    jobs: [job('unit', { attempts: 2 })],
    steps: ['unit MERGE_CONFLICT', 'unit MERGE_CONFLICT'],
    results: { unit: 'MERGE_CONFLICT' },
    result: 'FAILURE',
  },
  {
    says: 'fail-fast cancels the rest at the first voting failure',
    jobs: ['unit', 'lint', 'slow'],
    failFast: true,
    steps: ['lint STARTED', 'unit FAILURE'],
    results: { unit: 'FAILURE', lint: 'CANCELED', slow: 'CANCELED' },
    result: 'FAILURE',
  },
  {
    says: 'fail-fast lets a non-voting failure pass',
    jobs: [job('unit', { voting: false }), 'lint'],
    failFast: true,
    steps: ['unit FAILURE'],
    results: { unit: 'FAILURE' },
    start: ['lint/1'],
    result: null,
  },
  {
    says: 'a non-voting failure does not fail the whole',
    jobs: [job('unit', { voting: false }), 'lint'],
    steps: ['unit FAILURE', 'lint SUCCESS'],
    results: { unit: 'FAILURE', lint: 'SUCCESS' },
    result: 'SUCCESS',
  },
  {
    says: 'jobs after a paused one start while it waits',
    jobs: ['registry', 'build > registry'],
    steps: ['registry PAUSE'],
    results: { registry: null },
    start: ['build/1'],
    result: null,
  },
  {
    says: 'a paused job that has to be retried takes all after it along',
    jobs: ['registry', 'build > registry'],
    steps: ['registry PAUSE', 'build SUCCESS', 'registry RETRY'],
    results: {},
    start: ['registry/2'],
    result: null,
  },
  {
    says: 'P9: what needs a job that has nothing to do is skipped too, through any number of steps; the whole passes',
    jobs: ['build', 'publish > build', 'install > publish', 'noop'],
    steps: ['build SKIPPED', 'noop SUCCESS'],
    results: { build: 'SKIPPED', publish: 'SKIPPED', install: 'SKIPPED', noop: 'SUCCESS' },
    result: 'SUCCESS',
  },
  {
    says: 'P9: what can do without such a job, and what stands on that alone, goes on',
    jobs: ['build', 'publish > build', 'tell > publish?', 'archive > tell', 'both > tell publish'],
    steps: ['build SKIPPED'],
    results: { build: 'SKIPPED', publish: 'SKIPPED', both: 'SKIPPED' },
    start: ['tell/1'],
    result: null,
  },
  {
    says: 'P9: a build set of nothing but jobs that were asked and have nothing to do passes',
    jobs: ['build', 'publish > build'],
    steps: ['build SKIPPED'],
    results: { build: 'SKIPPED', publish: 'SKIPPED' },
    result: 'SUCCESS',
  },
  {
    says: 'P9: fail-fast does not take such a job for a failure',
    jobs: ['build', 'publish > build', 'slow'],
    failFast: true,
    steps: ['build SKIPPED'],
    results: { build: 'SKIPPED', publish: 'SKIPPED' },
    start: ['slow/1'],
    result: null,
  },
];

for (const row of rows) {
  test(row.says, () => {
    const state = play(startBuildSet(graph(row.jobs, row.failFast)), row.steps, row.more);
    assert.deepEqual(results(state), row.results);
    assert.deepEqual(startable(state), row.start ?? []);
    assert.equal(buildSetResult(state), row.result);
  });
}

test('a paused job goes on once all after it have ended', () => {
  const paused = play(startBuildSet(graph(['registry', 'build > registry'])), ['registry PAUSE']);
  assert.deepEqual(pendingBuilds(paused, freely).resume, []);
  assert.deepEqual(pendingBuilds(play(paused, ['build FAILURE']), freely).resume, ['registry/1']);
});

test('a failure that is seen early makes the whole fail at once', () => {
  const running = play(startBuildSet(graph(['unit'])), ['unit STARTED']);
  assert.equal(isFailing(running), false);
  assert.equal(isFailing(applyBuild(running, { type: 'failing', build: 'unit/1' })), true);
});

test('a job that is run again replaces its result, and what was skipped for it comes back', () => {
  const failed = play(startBuildSet(graph(['build', 'unit > build'])), ['build FAILURE']);
  const again = applyBuild(failed, { type: 'retrigger', job: 'build' });
  assert.deepEqual(startable(again), ['build/2']);
  assert.equal(isFailing(again), false);
  assert.equal(buildSetResult(play(again, ['build SUCCESS', 'unit SUCCESS'])), 'SUCCESS');
});

test('P9: a skipped job that is run again brings back what was skipped with it; the report says why', () => {
  const skipped = play(startBuildSet(graph(['build', 'unit > build'])), ['build SKIPPED']);
  assert.equal(currentBuilds(skipped).get('unit')?.summary, 'Skipped because job build was skipped');
  const again = applyBuild(skipped, { type: 'retrigger', job: 'build' });
  assert.deepEqual(startable(again), ['build/2']);
  assert.equal(buildSetResult(play(again, ['build SUCCESS', 'unit SUCCESS'])), 'SUCCESS');
});

test('a job that is run again has all its attempts again', () => {
  const failed = play(startBuildSet(graph([job('unit', { attempts: 2 })])), ['unit RETRY', 'unit RETRY']);
  const again = play(applyBuild(failed, { type: 'retrigger', job: 'unit' }), ['unit RETRY', 'unit SUCCESS']);
  assert.deepEqual(results(again), { unit: 'SUCCESS' });
});

interface Again {
  readonly says: string;
  readonly jobs: readonly (string | FrozenJob)[];
  readonly failFast?: boolean;
  readonly steps: readonly string[];
  readonly job: string;
  /** Results that stand afterwards, attempts that may start, and those that go on. */
  readonly results: Readonly<Record<string, string | null>>;
  readonly start: readonly string[];
  readonly wanted?: readonly string[];
}

const chain = ['build', 'lint > build', 'publish > build', 'install > publish', 'systest > publish?', 'docs'];
const chainRun = ['build', 'lint', 'publish', 'install', 'systest', 'docs'].map((name) => `${name} SUCCESS`);
const registry = ['registry', 'build > registry', 'push > build', 'other'];

const agains: readonly Again[] = [
  {
    says: 'all that ran on what it had made, through any number of steps and softly; not what stands beside it',
    ...{ jobs: chain, steps: chainRun, job: 'build' },
    results: { docs: 'SUCCESS' },
    start: ['build/2'],
  },
  {
    says: 'in the middle: what it stands on keeps its results',
    ...{ jobs: chain, steps: chainRun, job: 'publish' },
    results: { build: 'SUCCESS', lint: 'SUCCESS', docs: 'SUCCESS' },
    start: ['publish/2'],
  },
  {
    says: 'at the end: nothing else runs again',
    ...{ jobs: chain, steps: chainRun, job: 'systest' },
    results: { build: 'SUCCESS', lint: 'SUCCESS', publish: 'SUCCESS', install: 'SUCCESS', docs: 'SUCCESS' },
    start: ['systest/2'],
  },
  {
    says: 'what is running on it is stopped, what is beside it goes on',
    jobs: chain,
    steps: ['build SUCCESS', 'publish SUCCESS', 'install STARTED', 'docs STARTED'],
    job: 'build',
    results: { docs: null },
    start: ['build/2'],
    wanted: ['docs/1'],
  },
  {
    says: 'a pause on it ends, with what ran under that',
    jobs: ['image', 'registry > image', 'push > registry'],
    steps: ['image SUCCESS', 'registry PAUSE', 'push SUCCESS'],
    ...{ job: 'image', results: {}, start: ['image/2'], wanted: [] },
  },
  {
    says: 'the pause above it goes on',
    ...{ jobs: registry, steps: ['registry PAUSE', 'build SUCCESS', 'push SUCCESS', 'other SUCCESS'], job: 'build' },
    results: { registry: null, other: 'SUCCESS' },
    start: ['build/2'],
    wanted: ['registry/1'],
  },
  {
    says: 'what failed on it, and what was cancelled for that',
    ...{ jobs: chain, failFast: true, steps: ['build SUCCESS', 'docs STARTED', 'publish FAILURE'], job: 'build' },
    results: {},
    start: ['build/2', 'docs/2'],
  },
];
for (const { says, jobs, failFast, steps, job: name, results: expected, start, wanted } of agains) {
  test(`R15: a job that runs again takes with it ${says}`, () => {
    const before = play(startBuildSet(graph(jobs, failFast)), steps);
    const again = applyBuild(before, { type: 'retrigger', job: name, whole: true });
    assert.deepEqual(results(again), expected);
    assert.deepEqual(startable(again), start);
    if (wanted) assert.deepEqual(pendingBuilds(again, freely).wanted, wanted);
    assert.equal(again.builds.length, before.builds.length);
    assert.equal(buildSetResult(again), null);
  });
}

test('R15: what runs again with a job has the new artifacts, all its attempts, and no late answer of before', () => {
  const jobs = graph(['build', job('install > build', { attempts: 2 })]);
  const [old, fresh] = ['old', 'new'].map((name) => ({ artifacts: [{ name, url: `http://x/${name}` }] }));
  const before = play(play(startBuildSet(jobs), ['build SUCCESS'], old), ['install RETRY', 'install STARTED']);
  const again = applyBuild(before, { type: 'retrigger', job: 'build', whole: true });
  const late = { type: 'ended', build: 'install/2', outcome: { result: 'SUCCESS', time: 9 } } as const;
  assert.equal(applyBuild(again, late), again);
  const built = play(again, ['build SUCCESS'], fresh);
  assert.deepEqual(pendingBuilds(built, freely).start[0]?.parents, fresh?.artifacts);
  const twice = play(built, ['install RETRY', 'install SUCCESS']);
  assert.deepEqual(results(twice), { build: 'SUCCESS', install: 'SUCCESS' });
});

test('a build set that began when a job ran again by itself keeps to that', () => {
  const before = play(startBuildSet(graph(chain)), chainRun);
  const again = applyBuild(before, { type: 'retrigger', job: 'build' });
  assert.equal(results(again).install, 'SUCCESS');
});

test('a late answer changes nothing', () => {
  const ended = play(startBuildSet(graph(['unit'])), ['unit SUCCESS']);
  const late = { result: 'FAILURE', time: 9 } as const;
  assert.equal(applyBuild(ended, { type: 'ended', build: 'unit/1', outcome: late }), ended);
  assert.equal(applyBuild(ended, { type: 'ended', build: 'none/1', outcome: late }), ended);
});

test('a cancelled build set wants nothing', () => {
  const running = play(startBuildSet(graph(['unit', 'lint'])), ['unit STARTED']);
  const canceled = applyBuild(running, { type: 'canceled', time: 5 });
  assert.deepEqual(results(canceled), { unit: 'CANCELED', lint: 'CANCELED' });
  assert.deepEqual(pendingBuilds(canceled, freely).wanted, []);
  assert.equal(buildSetResult(canceled), 'DEQUEUED');
});

test('nodes that cannot be had, or were lost, make the next alternative the one to use', () => {
  const spare = { name: 'second', nodes: [], groups: [] };
  const state = startBuildSet(graph([job('unit', { alternatives: [spare] })]));
  const lost = play(state, ['unit RETRY'], { nextAlternative: true });
  assert.equal(pendingBuilds(lost, freely).start[0]?.nodeset.name, 'second');
});

test('a job whose nodes cannot be had is tried on each alternative, and has all its attempts on the last', () => {
  const [second, third] = ['second', 'third'].map((name) => ({ name, nodes: [], groups: [] }));
  const alternatives = [second, third].flatMap((each) => each ?? []);
  const state = startBuildSet(graph([job('unit', { alternatives, attempts: 1 })]));
  const once = play(state, ['unit NODE_FAILURE'], { nextAlternative: true });
  assert.equal(pendingBuilds(once, freely).start[0]?.nodeset.name, 'second');
  const twice = play(once, ['unit NODE_FAILURE'], { nextAlternative: true });
  assert.equal(pendingBuilds(twice, freely).start[0]?.nodeset.name, 'third');
  assert.deepEqual(results(play(twice, ['unit NODE_FAILURE'])), { unit: 'NODE_FAILURE' });
  assert.deepEqual(results(play(twice, ['unit RETRY'])), { unit: 'RETRY_LIMIT' });
  assert.deepEqual(results(play(twice, ['unit SUCCESS'])), { unit: 'SUCCESS' });
});

test('a job gets the artifacts and the data of all above it', () => {
  const state = startBuildSet(graph(['build', 'unit > build', 'install > unit']));
  const artifact = { name: 'deb', url: 'http://x/deb' };
  const built = play(state, ['build SUCCESS'], { artifacts: [artifact], data: { version: '1' } });
  const [install] = pendingBuilds(play(built, ['unit SUCCESS']), freely).start;
  assert.deepEqual(install?.parents, [artifact]);
  assert.deepEqual(install?.parentData, { version: '1' });
});

test('reporter jobs run after the report, and one that fails makes the build set fail', () => {
  const state = play(startBuildSet(graph(['unit', job('mail', { type: 'reporter' })])), ['unit SUCCESS']);
  assert.deepEqual([buildSetResult(state), isOver(state)], ['SUCCESS', true]);
  assert.deepEqual(startable(state), []);
  const reported = applyBuild(state, { type: 'reported' });
  assert.deepEqual([startable(reported), isOver(reported)], [['mail/1'], false]);
  for (const result of ['SUCCESS', 'FAILURE']) {
    const ended = play(reported, [`mail ${result}`]);
    assert.deepEqual([buildSetResult(ended), isOver(ended)], [result, true]);
  }
});

test('permissions hold jobs back and refuse them', () => {
  const state = startBuildSet(graph(['unit', 'boot']));
  const permissions = { ...freely, waiting: { unit: ['hold: A'] }, refused: { boot: 'no image' } };
  const { start, waiting, refuse } = pendingBuilds(state, permissions);
  assert.deepEqual(start, []);
  assert.deepEqual(waiting, { unit: ['hold: A'] });
  assert.deepEqual(refuse, [{ job: 'boot', reason: 'no image' }]);
  const refused = applyBuild(state, { type: 'refused', job: 'boot', reason: 'no image', time: 3 });
  assert.deepEqual(results(refused), { boot: 'FAILURE' });
});

test('a started build that has to wait has no start time until it runs', () => {
  const started = applyBuild(startBuildSet(graph(['one'])), { type: 'started', build: 'one/1', time: 1 });
  const reasons = ['semaphores: m'];
  const waiting = applyBuild(started, { type: 'waiting', build: 'one/1', reasons, time: 2 });
  assert.deepEqual(
    waiting.builds.map((build) => [build.startTime, build.waiting]),
    [[null, reasons]],
  );
  const running = applyBuild(waiting, { type: 'waiting', build: 'one/1', reasons: [], time: 7 });
  assert.deepEqual(
    running.builds.map((build) => [build.startTime, build.waiting]),
    [[7, []]],
  );
});

test('a build that waited and began when nobody said so has its start time from its outcome', () => {
  const started = applyBuild(startBuildSet(graph(['one'])), { type: 'started', build: 'one/1', time: 1 });
  const waiting = applyBuild(started, { type: 'waiting', build: 'one/1', reasons: ['semaphores: m'], time: 2 });
  const end = (startTime: { readonly startTime?: number }) => {
    const outcome = { result: 'SUCCESS', time: 9, ...startTime } as const;
    return applyBuild(waiting, { type: 'ended', build: 'one/1', outcome }).builds[0]?.startTime;
  };
  assert.deepEqual([{ startTime: 8 }, {}].map(end), [8, null]);
});

test('S1: what only the build and publish stages make is taken from jobs of these stages alone', () => {
  const artifacts = [
    { name: 'repo', url: 'http://x/r/', metadata: { type: 'test-repository', format: 'deb' } },
    { name: 'built', url: 'http://x/p', metadata: { type: 'packages' } },
    { name: 'image', url: 'http://x/i', metadata: { type: 'container_image' } },
  ];
  const uses = { build: 'build', publish: 'publish' } as const;
  const makers = { script: ['image'], build: ['built', 'image'], publish: ['repo', 'image'], install: ['image'] };
  for (const [name, taken] of Object.entries(makers)) {
    const own = job(name, name in uses || name === 'install' ? { uses: name as 'build' | 'install' } : {});
    const state = startBuildSet(graph([own, `after > ${name}`]));
    for (const ending of ['SUCCESS', 'PAUSE']) {
      const [next] = pendingBuilds(play(state, [`${name} ${ending}`], { artifacts }), freely).start;
      assert.deepEqual(
        next?.parents.map((one) => one.name),
        taken,
        `${name} ${ending}`,
      );
    }
  }
});

test('a build whose beginning is noted late has not begun after its end', () => {
  const state = startBuildSet(graph(['unit']));
  const begun = applyBuild(state, { type: 'started', build: 'unit/1', time: 9 });
  const ended = applyBuild(begun, { type: 'ended', build: 'unit/1', outcome: { result: 'SUCCESS', time: 5 } });
  const build = currentBuilds(ended).get('unit');
  assert.deepEqual([build?.startTime, build?.endTime], [5, 5]);
});
