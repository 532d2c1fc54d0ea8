import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellFailing } from '../../activities/stages.ts';
import { nothingReturned } from '../../pipelines/jobs/returned.ts';
import type { JobInput, JobResult, StageInput, StageResult } from '../../workflows/contract.ts';
import { broken, change, entering, fine, frozenJob } from './make.ts';
import { testHost, until, World } from './world.ts';

const build = frozenJob('build', { uses: 'build', attempts: 1 });

const program = {
  ...{ path: 'tests/run', project: 'tinycdb', branch: 'main', trusted: false, cleanup: false, level: 0 },
  semaphores: [],
};

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

/** Stages that ran for changes whose names begin so, as `JOB CHANGE`. */
function ran(prefix: string): string[] {
  const own = world.outside.stagesRun.filter(({ build: { change: id } }) => id.startsWith(prefix));
  return own.map(({ build: { job, change: id } }) => `${job} ${id}`);
}

function merged(prefix: string): string[] {
  return world.outside.merged.filter((id) => id.startsWith(prefix));
}

/** Something that stages wait for, until the test is over at the latest. */
function gateway(t: TestContext) {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  t.after(() => open());
  return { open, opened };
}

test('reporter jobs run after the report and hold the queue up; one that fails has the last word', async (t) => {
  const mail = frozenJob('mail', { uses: 'mirror', attempts: 1, type: 'reporter' });
  world.outside.jobs = ({ id }) => (id === 'late-0' ? [build, mail] : [build]);
  const { open, opened } = gateway(t);
  const saidBefore: string[] = [];
  world.outside.stage = async ({ build: { job } }) => {
    if (job !== 'mail') return fine;
    saidBefore.push(...world.outside.reports('success'));
    await opened;
    return broken;
  };
  const gate = await world.tell('late', entering([change('late-0'), change('late-1')]));
  await until('the reporter job runs', () => ran('late-').includes('mail late-0'));
  assert.deepEqual(saidBefore, ['late-0,1']);
  await sleep(300);
  assert.deepEqual(merged('late-'), ['late-0']);
  assert.equal((await world.view(gate)).items[0]?.state, 'reporting');
  open();
  await until('the other is merged', () => merged('late-').length === 2);
  assert.equal(ran('late-').filter((text) => text === 'build late-1').length, 2, 'it was built anew');
  const set = () => [...world.outside.buildSets.values()].find((one) => one.change === 'late-0');
  await until('the build set has failed', () => set()?.result === 'FAILURE');
});

test('an initializer comes before the regular jobs, and keeps them from running when it fails', async () => {
  const first = frozenJob('first', { uses: 'lint', attempts: 1, type: 'initializer' });
  const second = frozenJob('second', { uses: 'build', dependencies: [{ name: 'first', soft: true }] });
  world.outside.jobs = () => [first, second];
  const verdict = ({ build: { job, change: id } }: StageInput) => (job === 'first' && id === 'init-1' ? broken : fine);
  world.outside.stage = (input) => sleep(50).then(() => verdict(input));
  await world.tell('init', entering([change('init-0')]));
  await until('it is merged', () => merged('init-').length === 1);
  assert.deepEqual(ran('init-'), ['first init-0', 'second init-0']);
  await world.tell('init', entering([change('init-1')]));
  await until('it has failed', () => world.outside.reports('failure').includes('init-1,1'));
  assert.ok(!ran('init-').includes('second init-1'));
});

test('what is behind starts anew as soon as a line of the output says that a job fails', async (t) => {
  world.outside.jobs = () => [frozenJob('unit', { run: [program], attempts: 2 })];
  const { open, opened } = gateway(t);
  world.outside.stage = async ({ build: { change: id } }) => {
    if (id !== 'early-0') return fine;
    // One that had not begun would run once.
    await until('the second has begun', () => ran('early-').includes('unit early-1'));
    await tellFailing('FAIL: test 1');
    await tellFailing('FAIL: test 2');
    await opened;
    return fine;
  };
  const gate = await world.tell('early', entering([change('early-0'), change('early-1')]));
  await until('the second is tested without the first', async () => {
    const again = ran('early-').filter((text) => text === 'unit early-1').length === 2;
    return again && (await world.view(gate)).items[1]?.jobs[0]?.result === 'SUCCESS';
  });
  assert.equal((await world.view(gate)).items[0]?.state, 'failing');
  open();
  await until('the first is reported', () => world.outside.reports('failure').includes('early-0,1'));
  const said = world.outside.told.flatMap((one) => (one.kind === 'report' && one.action === 'failure' ? [one] : []));
  const message = said.find(({ changes }) => changes.includes('early-0,1'))?.message ?? '';
  assert.match(message, /unit FAILURE .*failure-output: FAIL: test 1/);
  await until('the second is merged', () => merged('early-').length === 1);
});

const server = frozenJob('server', { run: [program], postRun: [program] });
const user = frozenJob('user', { run: [program], dependencies: [{ name: 'server', soft: false }] });
const pausing: StageResult = {
  ...fine,
  data: { address: '10.0.0.7' },
  paused: { queue: testHost, returned: { ...nothingReturned, data: { address: '10.0.0.7' } } },
};

test('a job that pauses ends after the jobs that depend on it, which get what it returned', async () => {
  world.outside.jobs = () => [server, user];
  const began = Date.now();
  const timing = { started: began, ended: began + 10, tools: 4 };
  world.outside.stage = async ({ build: { job } }) =>
    job === 'server' ? { ...pausing, timing } : sleep(200).then(() => fine);
  const ends: string[] = [];
  world.outside.resume = ({ abandoned }) => {
    ends.push(abandoned ? 'abandoned' : 'resumed', ...ran('pause-'));
    return { ...fine, summary: 'ended', timing: { started: began + 20, ended: began + 30, tools: 5 } };
  };
  await world.tell('pause', entering([change('pause-0')]));
  await until('it is merged', () => merged('pause-').length === 1);
  const paused = [...world.outside.builds.values()].find(({ change: id, job }) => id === 'pause-0' && job === 'server');
  assert.deepEqual(paused?.timing, { started: began, ended: began + 30, tools: 9 }, 'its pause is part of its time');
  assert.deepEqual(ends, ['resumed', 'server pause-0', 'user pause-0']);
  const used = world.outside.stagesRun.find(({ build }) => build.change === 'pause-0' && build.job === 'user');
  assert.equal(used?.vars.address, '10.0.0.7');
  assert.deepEqual(world.outside.resumed[0]?.returned.data, { address: '10.0.0.7' });
});

test('a paused job outlives its workers', async () => {
  world.outside.jobs = () => [server, user];
  let hold = true;
  world.outside.stage = async ({ build: { job } }, signal) => {
    while (job === 'user' && hold && !signal.aborted) await sleep(20);
    return job === 'server' ? pausing : fine;
  };
  world.outside.resume = () => fine;
  await world.tell('swapped', entering([change('swapped-0')]));
  await until('the other job runs', () => ran('swapped-').includes('user swapped-0'));
  hold = false;
  await world.stopWorkers();
  await world.startWorkers();
  await until('it is merged', () => merged('swapped-').length === 1);
  assert.equal(ran('swapped-').filter((text) => text.startsWith('server')).length, 1);
});

test('a paused job that is no longer wanted is cleaned up', async () => {
  world.outside.jobs = () => [server, user];
  world.outside.stage = ({ build: { job } }, signal) =>
    job === 'server'
      ? pausing
      : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  world.outside.resume = () => ({ result: 'CANCELED', summary: 'cancelled', artifacts: [] });
  await world.tell('gone', entering([change('gone-0')]));
  await until('the other job runs', () => ran('gone-').includes('user gone-0'));
  await world.tell('gone', [{ type: 'observe', time: Date.now(), changes: [change('gone-0', { patchset: 2 })] }]);
  const own = () => world.outside.resumed.filter(({ stage }) => stage.build.change === 'gone-0');
  await until('it is abandoned', () => own().length === 1);
  assert.equal(own()[0]?.abandoned, true);
  const record = () =>
    [...world.outside.builds.values()].find((one) => one.change === 'gone-0' && one.job === 'server');
  await until('it is recorded', () => record()?.result === 'CANCELED');
});

test('a job that pauses and was started by hand, for nobody, ends at once', async () => {
  const first = world.outside.stagesRun.find(({ build }) => build.change === 'pause-0' && build.job === 'server');
  const record = [...world.outside.builds.values()].find(({ id }) => id === first?.build.id);
  const input = (await world.inputOf(record?.workflow ?? '')) as JobInput;
  world.outside.stage = () => pausing;
  world.outside.resume = () => ({ ...fine, summary: 'ended' });
  const options = { workflowId: 'paused-alone', taskQueue: 'control', args: [input] };
  const { outcome }: JobResult = await world.temporal.client.workflow.execute('job', options);
  assert.deepEqual([outcome.result, outcome.summary], ['SUCCESS', 'ended']);
});
