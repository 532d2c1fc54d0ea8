import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { BuildSetInput, JobInput, JobResult } from '../../workflows/contract.ts';
import { buildSetId } from '../../workflows/ids.ts';
import { closeSignal, permissionsSignal } from '../../workflows/messages.ts';
import { change, entering, fine, frozenJob } from './make.ts';
import { replays } from './reset.ts';
import { until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

const nodeset = { name: '', nodes: [{ name: ['node'], label: 'debian' }], groups: [] };
const build = frozenJob('build', { uses: 'build', attempts: 1 });

function recordsOf(id: string) {
  return [...world.outside.builds.values()].filter((one) => one.change === id);
}

/** The input of a job of a change that has merged. */
async function inputFor(id: string, job = build): Promise<JobInput> {
  world.outside.jobs = () => [job];
  world.outside.stage = () => fine;
  await world.tell(id, entering([change(id)]));
  await until('it is merged', () => world.outside.merged.includes(id));
  return (await world.inputOf(recordsOf(id)[0]?.workflow ?? '')) as JobInput;
}

test('R7: a job that is cancelled before it has begun is recorded as cancelled', async () => {
  const input = await inputFor('early');
  await world.stopWorkers();
  const handle = await world.temporal.client.workflow.start('job', {
    ...{ workflowId: 'job-early', taskQueue: 'control', args: [input] },
  });
  await handle.cancel();
  await world.startWorkers();
  await assert.rejects(handle.result());
  assert.equal((await handle.describe()).status.name, 'CANCELLED');
  const record = recordsOf('early').find(({ workflow }) => workflow === 'job-early');
  assert.deepEqual([record?.result, record?.summary], ['CANCELED', 'cancelled']);
  assert.equal(record?.run, (await handle.describe()).runId);
});

test('R7: a job whose stage has ended says so, though it was cancelled while that was being written down', async () => {
  const input = await inputFor('late');
  let cancel: () => Promise<unknown> = async () => undefined;
  const save = world.outside.builds.set.bind(world.outside.builds);
  world.outside.builds.set = (id, record) => {
    if (record.workflow === 'job-late' && record.endTime !== null) void cancel();
    return save(id, record);
  };
  const handle = await world.temporal.client.workflow.start('job', {
    ...{ workflowId: 'job-late', taskQueue: 'control', args: [input] },
  });
  cancel = () => handle.cancel();
  const { outcome }: JobResult = await handle.result();
  assert.equal(outcome.result, 'SUCCESS');
  assert.equal(recordsOf('late').find(({ workflow }) => workflow === 'job-late')?.result, 'SUCCESS');
});

test('R7: a job that no worker can run is recorded with the reason, and its build set goes on', async () => {
  world.outside.archOf = (label) => (label === 'debian' ? undefined : 'test');
  world.outside.jobs = () => [frozenJob('build', { uses: 'build', attempts: 1, nodeset })];
  await world.tell('nowhere', entering([change('nowhere')]));
  await until('it is reported', () => world.outside.reports('failure').includes('nowhere,1'));
  const [record] = recordsOf('nowhere');
  assert.equal(record?.result, 'ERROR');
  assert.match(record?.summary ?? '', /no platform is called "debian"/);
  world.outside.archOf = () => 'test';
});

test('W2: what is offered besides is looked up once for a build set, and stays so for a repeat', async () => {
  const offer = (name: string) => {
    return {
      name,
      url: `http://here/repositories/test/${name}`,
      project: 'lib',
      change: name,
      patchset: 1,
      job: 'publish',
    };
  };
  world.outside.unreleased = [offer('before')];
  world.outside.stage = ({ build: { job } }) => {
    if (job === 'first') world.outside.unreleased = [offer('before'), offer('meanwhile')];
    return fine;
  };
  const needs = { uses: 'build', attempts: 1, nodeset, requires: ['lib'] } as const;
  const first = frozenJob('first', needs);
  world.outside.jobs = () => [first, frozenJob('second', { ...needs, dependencies: [{ name: 'first', soft: false }] })];
  await world.tell('world', entering([change('world')]));
  await until('it is merged', () => world.outside.merged.includes('world'));
  const given = () => {
    const own = world.outside.stagesRun.filter((stage) => stage.build.change === 'world');
    return own.map(({ build: { job }, provided }) => [job, ...provided.map(({ name }) => name)].join(' '));
  };
  assert.deepEqual(given(), ['first before', 'second before']);
  const second = recordsOf('world').find(({ job }) => job === 'second');
  const input = await world.inputOf(second?.workflow ?? '');
  const again = (workflowId: string) => {
    return world.temporal.client.workflow.execute('job', { workflowId, taskQueue: 'control', args: [input] });
  };
  await again('world-again');
  world.outside.retired.add(offer('before').url);
  await again('world-later');
  assert.deepEqual(given().slice(2), ['second before', 'second'], 'W1: what is gone is no source');
});

test('W2: a release in the middle of a build set is not seen by its later jobs, and by a later run alone', async () => {
  world.outside.generations = ['000001'];
  world.outside.stage = ({ build: { job } }) => {
    if (job === 'first') world.outside.generations = ['000001', '000002'];
    return fine;
  };
  const first = frozenJob('first', { uses: 'build', attempts: 1 });
  const second = frozenJob('second', { uses: 'install', dependencies: [{ name: 'first', soft: false }] });
  world.outside.jobs = () => [first, second];
  const during: unknown[] = [];
  const save = world.outside.buildSets.set.bind(world.outside.buildSets);
  world.outside.buildSets.set = (id, record) => {
    if (record.change === 'released') during.push([record.endTime === null, record.released?.deb]);
    return save(id, record);
  };
  await world.tell('released', entering([change('released')]));
  await until('it is merged', () => world.outside.merged.includes('released'));
  const own = () => world.outside.stagesRun.filter((stage) => stage.build.change === 'released');
  const seen = () => own().map(({ build: { job }, released }) => [job, released?.deb, released?.rpm]);
  assert.deepEqual(seen(), [
    ['first', '000001', null],
    ['second', '000001', null],
  ]);
  assert.ok(
    during.every((one) => JSON.stringify(one).includes('"000001"')),
    'its record says what is in use',
  );
  const input = (await world.inputOf(
    recordsOf('released').find(({ job }) => job === 'second')?.workflow ?? '',
  )) as JobInput;
  await world.temporal.client.workflow.getHandle(input.reportTo ?? '').result();
  const again = { workflowId: 'released-again', taskQueue: 'control', args: [input] };
  await world.temporal.client.workflow.execute('job', again);
  assert.deepEqual(seen()[2], ['second', '000002', null]);
});

test('W17: a build is told what it may take over, and starts again by hand without it', async () => {
  const offer = { job: `sha256:${'a'.repeat(64)}`, manifests: [`sha256:${'b'.repeat(64)}`] };
  world.outside.reuse = ({ byHand }) => (byHand ? { ...offer, manifests: [] } : offer);
  const input = await inputFor('reusing');
  const given = () => world.outside.stagesRun.filter((one) => one.build.change === 'reusing').map(({ reuse }) => reuse);
  assert.deepEqual(given(), [offer]);
  const again = { workflowId: 'reusing-again', taskQueue: 'control', args: [input] };
  await world.temporal.client.workflow.execute('job', again);
  assert.deepEqual(given()[1], { ...offer, manifests: [] });
  world.outside.reuse = () => undefined;
});

test('R2: a job and a build set that are asked how they stand while they begin go on as their histories say', async (t) => {
  const { client } = world.temporal;
  const wants = { name: 'asked', max: 1, resourcesFirst: true };
  const second = frozenJob('second', { uses: 'build', attempts: 1, semaphores: [wants] });
  world.outside.jobs = () => [build, second];
  world.outside.stage = () => fine;
  await world.tell('asked', entering([change('asked')]));
  await until('it is merged', () => world.outside.merged.includes('asked'));
  const input = await world.inputOf(recordsOf('asked').find(({ job }) => job === 'second')?.workflow ?? '');
  const { reportTo = '', ...alone } = input as JobInput;
  const set = (await world.inputOf(reportTo)) as BuildSetInput;
  t.after(() => {
    world.outside.beginning = async () => {};
  });
  // What it begins with may be there before the question is answered, and after that.
  let begun = 0;
  world.outside.beginning = () => sleep(2 ** (begun++ % 7));
  await world.stopWorkers();
  /** Starts it with a question in its first task, and has something said to it while that is answered. */
  const play = async (
    type: string,
    workflowId: string,
    args: readonly unknown[],
    say: (of: WorkflowHandle) => unknown,
  ) => {
    const handle = await client.workflow.start(type, { workflowId, taskQueue: 'control', args: [...args] });
    const asked = handle.query('__temporal_workflow_metadata').catch(() => undefined);
    await started;
    await sleep(50);
    await say(handle);
    await asked;
    await handle.result();
    await replays(client, workflowId);
  };
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const free = { ...set.permissions, waiting: {} };
  const waiting = { ...free, waiting: { build: ['hold: it waits'] } };
  const freed = async (handle: WorkflowHandle) => {
    await handle.signal(permissionsSignal, free);
    const record = () => world.outside.buildSets.get(handle.workflowId);
    await until('all its jobs have ended', () => typeof record()?.result === 'string');
    await handle.signal(closeSignal);
  };
  const played = Array.from({ length: 7 }, (_, index) => {
    const other = { ...set, key: `asked${index}`, permissions: waiting };
    return [play('job', `job-asked-${index}`, [alone], () => {}), play('buildSet', buildSetId(other), [other], freed)];
  }).flat();
  await sleep(500);
  await world.startWorkers();
  resolve();
  await Promise.all(played);
});
