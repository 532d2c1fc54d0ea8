import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateCommand } from '../../pipelines/gate/command.ts';
import type { JobInput } from '../../workflows/contract.ts';
import { buildSetQuery, commandsUpdate, queueQuery, retriggerUpdate } from '../../workflows/messages.ts';
import { broken, change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

const build = frozenJob('build', { uses: 'build', attempts: 1 });

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

/** Changes that are merged, of those whose names begin so. */
function merged(prefix: string): string[] {
  return world.outside.merged.filter((id) => id.startsWith(prefix));
}

test('approved changes without jobs merge in order', async () => {
  const changes = Array.from({ length: 5 }, (_, index) => change(`order-${index}`));
  await world.tell('order', entering(changes));
  await until('all are merged', () => merged('order-').length === 5);
  assert.deepEqual(
    merged('order-'),
    changes.map(({ id }) => id),
  );
});

test('a failing head is reported, and those behind it are tested again without it', async () => {
  world.outside.jobs = () => [build];
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  world.outside.stage = async ({ build: { change: id } }) => {
    await held;
    return id === 'fail-0' ? broken : fine;
  };
  const changes = [0, 1, 2].map((index) => change(`fail-${index}`));
  await world.tell('fail', entering(changes));
  await until(
    'all run',
    () => world.outside.stagesRun.filter(({ build: { change: id } }) => id.startsWith('fail-')).length === 3,
  );
  release();
  await until('the others are merged', () => merged('fail-').length === 2);
  assert.deepEqual(merged('fail-'), ['fail-1', 'fail-2']);
  assert.deepEqual(
    world.outside.reports('failure').filter((text) => text.startsWith('fail-')),
    ['fail-0,1'],
  );
  const again = world.outside.prepared.filter((keys) => keys.length === 2);
  assert.ok(again.length > 0, 'both new states are prepared by one activity');
});

test('a conflict is reported and keeps nobody else', async () => {
  world.outside.conflicts.add('clash-0');
  world.outside.jobs = () => [frozenJob('noop')];
  await world.tell('clash', entering([change('clash-0'), change('clash-1')]));
  await until('the other is merged', () => merged('clash-').length === 1);
  assert.deepEqual(merged('clash-'), ['clash-1']);
  await until('the conflict is told', () => world.outside.reports('merge-conflict').includes('clash-0,1'));
});

test('changes whose project does not use the pipeline yet are tested on each other with the jobs that they bring', async () => {
  const changes = [0, 1].map((index) => change(`joins-${index}`, { placements: {} }));
  const before = world.outside.prepared.length;
  await world.tell('joins', entering(changes));
  await until('both are merged', () => merged('joins-').length === 2);
  assert.deepEqual(merged('joins-'), ['joins-0', 'joins-1']);
  assert.deepEqual(world.outside.prepared.slice(before), [['1.1', '2.1']], 'the second one on the first');
});

test('a new patch set cancels the jobs of the old one', async () => {
  world.outside.jobs = () => [build];
  let aborted = false;
  world.outside.stage = (_, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason);
      });
    });
  const gate = await world.tell('newer', entering([change('newer-0')]));
  await until('it runs', () => world.outside.stagesRun.some((stage) => stage.build.change === 'newer-0'));
  await world.tell('newer', [{ type: 'observe', time: Date.now(), changes: [change('newer-0', { patchset: 2 })] }]);
  await until('the job hears of it', () => aborted);
  await until('the queue is empty', async () => (await world.view(gate)).items.length === 0);
});

test('that jobs have begun is told of those that are not over within a second, before their result', async () => {
  const done = Promise.withResolvers<void>();
  world.outside.jobs = () => [build];
  world.outside.stage = () => done.promise.then(() => fine);
  const began = Date.now();
  await world.tell('slow', entering([change('slow-0')]));
  const told = () => world.outside.told.filter((one) => one.kind === 'report' && one.changes.includes('slow-0,1'));
  await until('the start is told', () => told().length === 1);
  assert.ok(Date.now() - began >= 1_000);
  done.resolve();
  await until('the result is told', () => told().length === 2);
  assert.deepEqual(
    told().map((one) => one.kind === 'report' && one.action),
    ['start', 'success'],
  );
});

test('a queue of many is shown four times a second at most, and at last as it is', async () => {
  const first = Promise.withResolvers<void>();
  world.outside.jobs = () => [build];
  world.outside.stage = ({ build: { change: id } }) => (id === 'many-0' ? first.promise.then(() => fine) : fine);
  const began = Date.now();
  const gate = await world.tell('many', entering(Array.from({ length: 12 }, (_, index) => change(`many-${index}`))));
  const others = async () => (await world.view(gate)).items.slice(1);
  const areDone = async () => (await others()).every(({ jobs }) => jobs[0]?.result === 'SUCCESS');
  await until('all but the first are done', async () => (await others()).length === 11 && (await areDone()));
  const times = world.outside.queues.get(gate)?.sequence ?? 0;
  assert.ok(times >= 1 && times <= 1 + (Date.now() - began) / 250, `it was shown ${times} times`);
  first.resolve();
  await until('all are merged', () => merged('many-').length === 12);
  await until('it is shown as empty', () => world.outside.queues.get(gate)?.items.length === 0);
});

test('an update from the build set runs a job again while its item is queued', async () => {
  world.outside.jobs = () => [build];
  let attempts = 0;
  world.outside.stage = async ({ build: { change: id } }, signal) => {
    if (id === 'again-0') {
      while (!signal.aborted && !merged('release-again').length) await sleep(20);
      return fine;
    }
    attempts += 1;
    return attempts === 1 ? broken : fine;
  };
  const gate = await world.tell('again', entering([change('again-0'), change('again-1')]));
  await until('the second has failed', async () => (await world.view(gate)).items[1]?.state === 'failing');
  const workflow = (await world.view(gate)).items[1]?.workflow ?? '';
  const handle = world.temporal.client.workflow.getHandle(workflow);
  const said = await handle.executeUpdate(retriggerUpdate, { args: ['build'] });
  assert.equal(said, 'build runs again as attempt 2');
  await until('the item no longer fails', async () => (await world.view(gate)).items[1]?.jobs[0]?.result === 'SUCCESS');
  world.outside.merged.push('release-again');
  await until('both are merged', () => merged('again-').length === 2);
  assert.deepEqual(merged('again-'), ['again-0', 'again-1']);
});

test('a job started by hand from the input of another becomes the next attempt', async () => {
  world.outside.jobs = () => [build];
  let attempts = 0;
  world.outside.stage = async ({ build: { change: id } }, signal) => {
    if (id === 'hand-0') {
      while (!signal.aborted && merged('release-hand').length === 0) await sleep(20);
      return fine;
    }
    attempts += 1;
    return attempts === 1 ? broken : fine;
  };
  const gate = await world.tell('hand', entering([change('hand-0'), change('hand-1')]));
  await until('the second has failed', async () => (await world.view(gate)).items[1]?.state === 'failing');
  const { workflow } = (await world.view(gate)).items[1] ?? {};
  const first = [...world.outside.builds.values()].find((one) => one.change === 'hand-1');
  const input = await world.inputOf(first?.workflow ?? '');
  await world.temporal.client.workflow.start('job', { workflowId: 'by-hand', taskQueue: 'control', args: [input] });
  await until('its result counts', async () => (await world.view(gate)).items[1]?.jobs[0]?.result === 'SUCCESS');
  const view = await world.temporal.client.workflow.getHandle(workflow ?? '').query(buildSetQuery);
  assert.deepEqual(
    view.builds.map(({ attempt, result }) => [attempt, result]),
    [
      [1, 'FAILURE'],
      [2, 'SUCCESS'],
    ],
  );
  world.outside.merged.push('release-hand');
  await until('both are merged', () => merged('hand-').length === 2);
});

test('R2: one that was started with an edited input stands alone: it tried something else than is merged', async () => {
  world.outside.jobs = () => [build];
  world.outside.stage = async ({ build: { change: id }, source }, signal) => {
    while (id === 'edit-0' && !signal.aborted && merged('release-edit').length === 0) await sleep(20);
    return id === 'edit-0' || source.tree === 'other' ? fine : broken;
  };
  const gate = await world.tell('edit', entering([change('edit-0'), change('edit-1')]));
  await until('the second has failed', async () => (await world.view(gate)).items[1]?.state === 'failing');
  const first = [...world.outside.builds.values()].find((one) => one.change === 'edit-1');
  const input = (await world.inputOf(first?.workflow ?? '')) as JobInput;
  const source = { ...input.source, tree: 'other' };
  const edited = [
    { ...input, source },
    { ...input, source, job: { ...input.job, vars: { skip: true } } },
    { ...input, source, sources: [source], parents: [{ name: 'packages', url: 'http://elsewhere/' }] },
  ];
  for (const [index, each] of edited.entries()) {
    const workflowId = `edited-${index}`;
    await world.temporal.client.workflow.execute('job', { workflowId, taskQueue: 'control', args: [each] });
    const { alone, result } = [...world.outside.builds.values()].find((one) => one.workflow === workflowId) ?? {};
    assert.deepEqual({ alone, result }, { alone: true, result: 'SUCCESS' });
  }
  const [, item] = (await world.view(gate)).items;
  assert.deepEqual([item?.state, item?.jobs[0]?.attempt], ['failing', 1]);
  world.outside.merged.push('release-edit');
  await until('the first is merged', () => merged('edit-').length === 1);
});

test('a job started by hand after its item was reported stands alone', async () => {
  world.outside.jobs = () => [build];
  world.outside.stage = () => fine;
  await world.tell('alone', entering([change('alone-0')]));
  await until('it is merged', () => merged('alone-').length === 1);
  const first = [...world.outside.builds.values()].find((one) => one.change === 'alone-0');
  await until('its build set is closed', async () => {
    const set = [...world.outside.buildSets.values()].find((one) => one.change === 'alone-0');
    const { status } = await world.temporal.client.workflow.getHandle(set?.workflow ?? '').describe();
    return status.name === 'COMPLETED';
  });
  const input = await world.inputOf(first?.workflow ?? '');
  const options = { workflowId: 'all-alone', taskQueue: 'control', args: [input] };
  await world.temporal.client.workflow.execute('job', options);
  const second = [...world.outside.builds.values()].find((one) => one.workflow === 'all-alone');
  assert.equal(second?.attempt, 2);
  assert.equal(second?.alone, true);
  assert.equal(second?.result, 'SUCCESS');
});

test('questions are answered, and a repeated message is applied once', async () => {
  world.outside.jobs = () => [build];
  world.outside.stage = () => sleep(300).then(() => fine);
  const [first] = [change('ask-0')];
  const gate = await world.tell('ask', entering([first]), { id: 'once' });
  await world.tell('ask', entering([first]), { id: 'once' });
  const handle = world.temporal.client.workflow.getHandle(gate);
  const dequeue: GateCommand = { type: 'dequeue', time: Date.now(), pipeline: 'gate', change: 'nobody' };
  const answer = await handle.executeUpdate(commandsUpdate, { args: [{ id: 'ask', commands: [dequeue] }] });
  assert.equal(answer.ok, false);
  const view = await handle.query(queueQuery);
  assert.equal(view.items.length, 1);
  await until('it is merged', () => merged('ask-').length === 1);
});

test('a gate continues as new within its budget and loses nothing', async () => {
  world.outside.jobs = () => [build];
  world.outside.stage = () => fine;
  const changes = Array.from({ length: 8 }, (_, index) => change(`roll-${index}`));
  const gate = await world.tell('roll', entering(changes), { input: { historyBudget: 60 } });
  const handle = world.temporal.client.workflow.getHandle(gate);
  await until('all are merged', () => merged('roll-').length === 8);
  assert.deepEqual(
    merged('roll-'),
    changes.map(({ id }) => id),
  );
  const description = await handle.describe();
  const first = await world.firstRun(gate);
  assert.notEqual(description.runId, first);
});

test('a worker that is replaced goes on where the other stopped', async () => {
  world.outside.jobs = () => [build];
  world.outside.stage = () => sleep(400).then(() => fine);
  await world.tell('swap', entering([change('swap-0'), change('swap-1')]));
  await sleep(200);
  await world.stopWorkers();
  await world.startWorkers();
  await until('both are merged', () => merged('swap-').length === 2);
  const reports = () => world.outside.reports('success').filter((text) => text.startsWith('swap-'));
  await until('both are reported', () => reports().length === 2);
  assert.deepEqual(reports(), ['swap-0,1', 'swap-1,1']);
});
