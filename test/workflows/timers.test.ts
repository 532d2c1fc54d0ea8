import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { timersOf } from '../../pipelines/policy/timers.ts';
import { createHolds } from '../../server/holds.ts';
import { holdsId, timersId } from '../../workflows/ids.ts';
import { pipelineNamed } from './make.ts';
import { until, World } from './world.ts';

/** Every second, and every other second: the sixth field counts seconds. */
const eachSecond = '* * * * * *';
const everyOther = '* * * * * */2';

let world: World;
before(async () => {
  world = await World.start();
  await world.temporal.client.workflow.start('timers', {
    workflowId: timersId('main'),
    taskQueue: 'control',
    args: [{ tenant: 'main', lookEvery: 1, historyBudget: 60 }],
  });
});
after(() => world.stop());
beforeEach(() => world.outside.ticks.splice(0));

function configure(time: string): void {
  const triggers = [{ connection: 'timer', body: { time } }];
  const branch = { project: 'tinycdb', branch: 'main', pipelines: new Set(['nightly']) };
  world.outside.timers = timersOf([pipelineNamed('nightly', { triggers })], [branch]);
}

const times = (timespec: string) =>
  world.outside.ticks.filter((tick) => tick.timespec === timespec).map((tick) => tick.time / 1000);

test('a timer fires each time, once, and nothing fires without one', async () => {
  await sleep(1500);
  assert.deepEqual(world.outside.ticks, []);
  configure(eachSecond);
  await until('it has fired three times', () => times(eachSecond).length >= 3);
  assert.equal(new Set(times(eachSecond)).size, times(eachSecond).length);
});

test('a changed schedule is followed', async () => {
  configure(everyOther);
  await until('the new one fires', () => times(everyOther).length >= 2);
  assert.ok(times(everyOther).every((time) => time % 2 === 0));
  const old = times(eachSecond).length;
  await until('it fires on', () => times(everyOther).length >= 4);
  assert.equal(times(eachSecond).length, old, 'the old one does no more');
});

test('what was missed while nobody worked is made up for once', async () => {
  configure(eachSecond);
  await until('it fires', () => times(eachSecond).length > 0);
  await world.stopWorkers();
  const stopped = times(eachSecond).length;
  const { looked } = world.outside;
  await sleep(4000);
  assert.equal(times(eachSecond).length, stopped);
  await world.startWorkers();
  await until('it goes on', () => times(eachSecond).length >= stopped + 3);
  const [missed = 0, next = 0] = times(eachSecond).slice(stopped);
  // A slow machine has looked at several seconds at once.
  assert.equal(missed, Math.floor(looked / 1_000) + 1);
  assert.ok(next - missed >= 3, `${next - missed} seconds are not made up for`);
});

test('it goes on as new, and no turn is lost or taken twice', async () => {
  const handle = world.temporal.client.workflow.getHandle(timersId('main'));
  const { runId } = await handle.describe();
  configure(everyOther);
  await until('another run goes on', async () => (await handle.describe()).runId !== runId);
  const before = times(everyOther).length;
  await until('it fires on', () => times(everyOther).length >= before + 2);
  const found = times(everyOther);
  assert.equal(new Set(found).size, found.length);
});

test('how many holds there are is told in each run of their entity', async () => {
  const { client } = world.temporal;
  const workflowId = holdsId('told');
  const args = [{ tenant: 'told', historyBudget: 5 }];
  const { firstExecutionRunId } = await client.workflow.start('holds', { workflowId, taskQueue: 'control', args });
  const wish = { job: 'build', reason: 'why', count: 1, seconds: 3600 };
  const ann = { name: 'ann', kind: 'person', via: 'token' } as const;
  const holds = createHolds({ client, tenant: 'told' });
  await holds.add(ann, wish);
  await holds.add(ann, wish);
  const handle = client.workflow.getHandle(workflowId);
  await until('it goes on as new', async () => (await handle.describe()).runId !== firstExecutionRunId);
  const { currentDetails } = await handle.query<{ readonly currentDetails: string }>('__temporal_workflow_metadata');
  assert.equal(currentDetails, '2 holds, the nodes of 0 builds held');
});
