import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServedBy } from '../../infra/compose/pollers.ts';
import { createPendingSteps } from '../../server/pending-steps.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { change, frozenJob } from './make.ts';
import { Outside, until, World } from './world.ts';

function enqueue(world: World, id: string) {
  const time = Date.now();
  return world.tell('q', [
    { type: 'observe', time, changes: [change(id)] },
    { type: 'enqueue', time, pipeline: 'gate', change: id },
  ]);
}

/** Each when the build of the one before is there. */
async function enqueueInTurn(world: World, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await enqueue(world, id);
    await until(`${id} has come`, () => [...world.outside.builds.values()].some((build) => build.change === id));
  }
}

test('a job waits until a worker has a place for it: it runs, and its time counts, from then on', async (t) => {
  const outside = new Outside();
  outside.slots = 1;
  outside.jobs = () => [frozenJob('unit', { uses: 'lint' })];
  const gone = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  outside.stage = async ({ build }) => {
    await (build.change === 'first' ? gone.promise : heard.promise);
    return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
  };
  const world = await World.start(outside);
  t.after(() => world.stop());
  const recordOf = (id: string) => [...outside.builds.values()].find((build) => build.change === id);
  const gate = await enqueue(world, 'first');
  const shownOf = async (id: string) =>
    (await world.view(gate)).items.find(({ changes }) => changes.some((one) => one.id === id))?.jobs[0];
  await until('the first has begun', async () => (await shownOf('first'))?.startTime !== null);
  await enqueue(world, 'second');
  await until('the second waits', () => recordOf('second')?.waiting === true);
  assert.equal(recordOf('second')?.summary, 'waits for a place on a worker');
  assert.equal(recordOf('first')?.waiting, undefined);
  await until('and is shown', async () => (await shownOf('second'))?.waiting[0] === 'a place on a worker');
  assert.equal((await shownOf('second'))?.startTime, null);
  const pendingSteps = createPendingSteps(world.temporal.client);
  for (const [id, has] of [['first', true] as const, ['second', false] as const]) {
    await until(`Temporal says in which task queue the ${id} is`, async () => {
      const [step] = await pendingSteps(recordOf(id)?.workflow ?? '');
      return step?.name === 'runStage' && step.begun === has && step.queue === taskQueues.build('test');
    });
  }
  const free = Date.now();
  gone.resolve();
  await until('the second is known to run', () => recordOf('second')?.waiting === undefined);
  heard.resolve();
  await until('both have ended', () => ['first', 'second'].every((id) => recordOf(id)?.result === 'SUCCESS'));
  const ended = recordOf('second');
  assert.equal(ended?.waiting, undefined);
  assert.ok((ended?.startTime ?? 0) >= free, 'the wait is no part of its time');
});

test('a job that is cancelled before it had a place never began', async (t) => {
  const outside = new Outside();
  outside.slots = 1;
  outside.jobs = () => [frozenJob('unit', { uses: 'lint' })];
  const gone = Promise.withResolvers<void>();
  outside.stage = async () => {
    await gone.promise;
    return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
  };
  const world = await World.start(outside);
  t.after(() => world.stop());
  await enqueueInTurn(world, ['first', 'second']);
  const recordOf = (id: string) => [...outside.builds.values()].find((build) => build.change === id);
  await until('the second waits', () => recordOf('second')?.waiting === true);
  await world.tell('q', [{ type: 'dequeue', time: Date.now(), pipeline: 'gate', change: 'second' }]);
  await until('it has ended', () => recordOf('second')?.result === 'CANCELED');
  assert.equal(recordOf('second')?.waiting, true);
  gone.resolve();
  await until('the other ends', () => recordOf('first')?.result === 'SUCCESS');
});

test('a publish, and a job of mirrors, wait for no place that a build has', async (t) => {
  const outside = new Outside();
  outside.slots = 1;
  const long = frozenJob('long', { uses: 'build' });
  const short = [frozenJob('publish', { uses: 'publish' }), frozenJob('mirror', { uses: 'mirror' })];
  outside.jobs = ({ id }) => (id === 'short' ? [long, ...short] : [long]);
  const gone = Promise.withResolvers<void>();
  outside.stage = async ({ stage }) => {
    if (stage === 'build') await gone.promise;
    return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
  };
  const world = await World.start(outside);
  t.after(() => world.stop());
  const isServed = isServedBy(world.temporal.client);
  for (const stage of ['publish', 'mirror'] as const) {
    await until(`${stage} has workers`, () => isServed(taskQueues.nodeless(stage, 'test')));
  }
  assert.equal(await isServed(taskQueues.nodeless('publish', 'elsewhere')), false);
  await enqueueInTurn(world, ['first', 'short']);
  const resultOf = (id: string, name: string) =>
    [...outside.builds.values()].find(({ change, job }) => change === id && job === name)?.result;
  await until('both have ended', () => short.every(({ name }) => resultOf('short', name) === 'SUCCESS'));
  assert.deepEqual(
    [resultOf('first', 'long'), resultOf('short', 'long')],
    [null, null],
    'one has the place, one waits',
  );
  gone.resolve();
  await until('the builds end', () => ['first', 'short'].every((id) => resultOf(id, 'long') === 'SUCCESS'));
});
