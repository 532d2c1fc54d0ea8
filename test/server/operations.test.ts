import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readInput } from '../../infra/temporal/read-payload.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import { createGateClient } from '../../server/events/gate-client.ts';
import { createOperations, type TakenOut } from '../../server/operations.ts';
import type { Operations } from '../../server/port.ts';
import { change, frozenJob } from '../workflows/make.ts';
import { Outside, until, World } from '../workflows/world.ts';

const ada: Actor = { name: 'ada', kind: 'person', via: 'token' };
let world: World;
let operations: Operations;
const takenOut: TakenOut[] = [];
/** Builds by change that wait until they are let go, or cancelled. */
const gates = new Map<string, PromiseWithResolvers<void>>();

before(async () => {
  const outside = new Outside();
  const nodeset = { name: '', nodes: [{ name: ['node'], label: 'debian-12' }], groups: [] };
  outside.jobs = ({ id }) => [frozenJob('deb-build', { uses: 'build', change: id, nodeset })];
  outside.stage = async ({ build }, signal) => {
    const gate = Promise.withResolvers<void>();
    gates.set(build.change, gate);
    signal.addEventListener('abort', () => gate.reject(signal.reason));
    await gate.promise;
    return { result: 'SUCCESS', summary: 'built', artifacts: [] };
  };
  world = await World.start(outside);
  const { client } = world.temporal;
  const store = {
    listQueues: async () => [...outside.queues.values()],
    findBuild: async (id: string) => outside.builds.get(id),
    listBuilds: async (filter: { change?: string | undefined; job?: string | undefined }) =>
      buildsOf(filter.change).filter(({ job }) => job === filter.job),
  };
  operations = createOperations({
    ...{ client, gates: createGateClient(client), store, enqueue: async () => ({ ok: true }) },
    inputOf: (workflow) => readInput(client, workflow),
    mend: outside.sweeper(world.temporal).mend,
    pipelines: async () => ['check', 'gate'],
    tellTakenOut: async (what) => void takenOut.push(what),
  });
});
after(() => world?.stop());

it('what a workflow was started with is unknown where there is none', async () => {
  assert.equal(await readInput(world.temporal.client, 'job/none'), undefined);
});

/** Newest first. */
function buildsOf(id: string | undefined) {
  return [...world.outside.builds.values()].filter((build) => build.change === id).reverse();
}

const queued = () =>
  [...world.outside.queues.values()].flatMap(({ items }) => items.map(({ changes }) => changes[0]?.id ?? ''));

async function enqueue(...ids: string[]): Promise<void> {
  const time = Date.now();
  await world.tell('q', [
    { type: 'observe', time, changes: ids.map((id) => change(id)) },
    ...ids.map((id) => ({ type: 'enqueue', time, pipeline: 'gate', change: id }) as const),
  ]);
  await until('all are in the queue and build', () => ids.every((id) => queued().includes(id) && gates.has(id)));
}

describe('what people ask for', () => {
  it('reaches the gate: promote, then dequeue', async () => {
    await enqueue('A', 'B');
    assert.deepEqual(await operations.promote(ada, { pipeline: 'gate', changes: ['B'] }), { ok: true });
    await until('B is ahead', () => queued().join() === 'B,A');
    for (const id of ['A', 'B'])
      assert.deepEqual(await operations.dequeue(ada, { pipeline: 'gate', change: id }), { ok: true });
    assert.deepEqual(
      takenOut,
      ['A', 'B'].map((id) => ({ change: id, patchset: 1, pipeline: 'gate', by: 'ada' })),
    );
    await until('the queue is empty', () => queued().length === 0);
  });

  it('stops a running build, which the gate takes for a failure', async () => {
    await enqueue('C');
    const [build] = buildsOf('C');
    assert.deepEqual(await operations.cancel(ada, { build: build?.id ?? '' }), { ok: true });
    await until('the build is cancelled', () => buildsOf('C')[0]?.result === 'CANCELED');
    assert.match(reasonOf(await operations.cancel(ada, { build: build?.id ?? '' })), /has ended: CANCELED/);
    // Else the next test's change begins behind a failing one, and is tested twice.
    await until('the queue is empty', () => queued().length === 0);
  });

  it('W4: says that a build has ended which is recorded as running, and mends the record', async () => {
    await enqueue('W');
    const [build] = buildsOf('W');
    assert.ok(build);
    await world.temporal.client.workflow.getHandle(build.workflow, build.run).terminate();
    assert.match(reasonOf(await operations.cancel(ada, { build: build.id })), /has ended: ABORTED/);
    const ended = world.outside.builds.get(build.id);
    assert.deepEqual([ended?.result, ended?.endTime !== null], ['ABORTED', true]);
    await operations.dequeue(ada, { pipeline: 'gate', change: 'W' });
    await until('the queue is empty', () => queued().length === 0);
  });

  it('runs a job again after the final report, as a run of its own', async () => {
    await enqueue('D');
    gates.get('D')?.resolve();
    await until('D is merged', () => world.outside.merged.includes('D') && !queued().includes('D'));
    gates.delete('D');
    const buildSet = buildsOf('D')[0]?.buildSet;
    assert.deepEqual(await operations.retrigger(ada, { change: 'D', job: 'deb-build' }), {
      ...{ ok: true, alone: true, buildSet },
    });
    await until('it runs again', () => gates.has('D'));
    gates.get('D')?.resolve();
    await until('it has ended again', () => buildsOf('D')[0]?.attempt === 2 && buildsOf('D')[0]?.result === 'SUCCESS');
    assert.equal(buildsOf('D')[0]?.alone, true);
  });

  it('is refused with a reason when there is nothing to act on', async () => {
    assert.match(reasonOf(await operations.dequeue(ada, { pipeline: 'gate', change: 'X' })), /X is not in gate/);
    assert.match(
      reasonOf(await operations.promote(ada, { pipeline: 'gate', changes: ['X', 'Y'] })),
      /no queue of gate/,
    );
    assert.match(reasonOf(await operations.retrigger(ada, { change: 'X', job: 'deb-build' })), /has not run for X/);
    assert.match(reasonOf(await operations.cancel(ada, { build: 'x' })), /no build x/);
    const nowhere = { pipeline: 'nope', change: 'X' };
    for (const answer of [
      await operations.enqueue(ada, nowhere),
      await operations.dequeue(ada, nowhere),
      await operations.promote(ada, { pipeline: 'nope', changes: ['X'] }),
      await operations.retrigger(ada, { ...nowhere, job: 'deb-build' }),
    ])
      assert.equal(reasonOf(answer), 'there is no pipeline nope; there are: check, gate');
  });
});

function reasonOf(answer: Awaited<ReturnType<Operations['cancel']>>): string {
  assert.equal(answer.ok, false);
  return answer.ok ? '' : answer.reason;
}
