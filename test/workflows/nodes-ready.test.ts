import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startOfNodes } from '../../activities/jobs/nodes.ts';
import { excess } from '../../pipelines/nodes/capacity.ts';
import { type NodesDesk, usageOf } from '../../pipelines/nodes/desk.ts';
import { heldId, nodesId } from '../../workflows/ids.ts';
import {
  nodesCapacitySignal,
  nodesHandedSignal,
  nodesLostSignal,
  nodesQuery,
  nodesReleaseSignal,
  nodesUpdate,
} from '../../workflows/messages.ts';
import { replays, resetTo, taskOf } from './reset.ts';
import { testHost, until, World } from './world.ts';

const entity = nodesId('docker');
const size = { cores: 1, ramGb: 1 };
const wish = { label: 'vm', size, min: 2, queue: testHost };
const capacity = { maxServers: 3, ready: [wish] };

let world: World;
let holder: string;
before(async () => {
  world = await World.start();
  world.outside.capacity = capacity;
  // Something that is open, and hears what it is told.
  holder = await world.tell('tinycdb', []);
});
after(() => world.stop());

const handle = () => world.temporal.client.workflow.getHandle(entity);
const desk = (): Promise<NodesDesk> => handle().query(nodesQuery);

/** As a server does when it starts, or has read other settings. */
async function tell(now = world.outside.capacity): Promise<void> {
  world.outside.capacity = now;
  const args: [{ provider: string; lookEvery: number; historyBudget: number }] = [
    { provider: 'docker', lookEvery: 1, historyBudget: 150 },
  ];
  await world.temporal.client.workflow.signalWithStart('nodes', {
    ...{ ...startOfNodes('docker'), args },
    ...{ signal: nodesCapacitySignal, signalArgs: [{ capacity: now }] },
  });
}

function ask(token: string, count: number, of: object = { label: 'vm' }) {
  const sizes = Array.from({ length: count }, () => ({ ...size, ...of }));
  const request = { holder, token, sizes, priority: 1, build: `build-${token}`, queue: testHost };
  return handle().executeUpdate(nodesUpdate, { args: [{ request, capacity: world.outside.capacity }] });
}

/** @returns their ids */
async function standReady(count: number): Promise<readonly string[]> {
  let ids: readonly string[] = [];
  await until(`${count} stand ready`, async () => {
    const now = await desk();
    assert.deepEqual(excess(usageOf(now), now.capacity), []);
    ids = (now.ready ?? []).flatMap(({ id, state }) => (state === 'ready' ? [id] : []));
    return ids.length === count && now.ready?.length === count && ids.every((id) => world.outside.standing.has(id));
  });
  return ids;
}

test('I10: nodes stand ready before anybody asks, are lent at once, refilled, and given up for who needs their room', async () => {
  await tell();
  const first = await standReady(2);
  const reply = await ask('a', 1);
  assert.ok(reply.state === 'granted');
  assert.deepEqual(reply.machines, [{ label: 'vm', name: first[0], took: 5 }]);
  const second = await standReady(2);
  assert.ok(!second.includes(first[0] ?? ''));
  await handle().signal(nodesReleaseSignal, { token: 'a' });
  await until('what is given back is removed', () => !world.outside.standing.has(first[0] ?? ''));
  await standReady(2);
  assert.deepEqual(await ask('b', 2, {}), { state: 'waits' }, 'of any label: there is room for one');
  await until('one goes', async () => (await desk()).leases.length === 1);
  assert.deepEqual([(await desk()).ready?.length, world.outside.standing.size], [1, 1]);
  await handle().signal(nodesReleaseSignal, { token: 'b' });
  await standReady(2);
});

test('I10: what has ended is replaced, and what cannot be made is tried again', async () => {
  const [gone = ''] = await standReady(2);
  let faults = 2;
  world.outside.making = async () => {
    faults -= 1;
    if (faults === 0) throw new Error('the worker has ended');
    return faults > 0 ? 'no room' : undefined;
  };
  world.outside.standing.delete(gone);
  await until('another takes its place', async () => !(await standReady(2)).includes(gone));
  assert.ok(faults < 0, 'after both faults');
});

test('I10: they outlive a run of the entity, and a worker that is away makes them when it is back', async () => {
  const before = await standReady(2);
  const { runId } = await handle().describe();
  await until('another run goes on', async () => (await handle().describe()).runId !== runId);
  assert.deepEqual((await standReady(2)).toSorted(), before.toSorted());
  // As a worker leaves it that has ended.
  world.outside.standing.clear();
  await until('all are made anew', async () => (await standReady(2)).every((id) => !before.includes(id)));
});

test('I10: R2: a reset and a later life of the entity lend nothing twice, and leave nothing behind', async () => {
  const { client } = world.temporal;
  await standReady(2);
  const quiet = await taskOf(client, entity, 'last');
  const lent = await ask('c', 1);
  assert.ok(lent.state === 'granted');
  await resetTo(client, entity, quiet);
  await standReady(2);
  await replays(client, entity);
  const [name = ''] = lent.machines?.map((each) => each.name) ?? [];
  assert.ok(!(await standReady(2)).includes(name), 'it may have been used');
  await handle().terminate('by hand');
  await tell();
  const now = await standReady(2);
  await until('what the earlier life had is removed', () => world.outside.standing.size === 2);
  assert.deepEqual([...world.outside.standing].toSorted(), now.toSorted());
});

test('I10: what was left on a host that is not configured any more is given up, held nodes at their time', async () => {
  const { client } = world.temporal;
  const leases = async () => (await desk()).leases.map(({ token }) => token);
  await tell({ hosts: [{ name: 'gone', queue: 'host-gone' }] });
  await ask('held', 1);
  await until('it is lent', async () => (await leases()).length === 1);
  const held = { build: 'held', host: 'gone', nodes: [], time: 0, until: null };
  const sizes = [size];
  const request = { token: 'held', holder: heldId('held'), sizes, priority: 1, build: 'held', queue: 'host-gone' };
  const claim = { provider: 'docker', request, fence: 1, host: 'gone' };
  const workflowId = heldId('held');
  // There is no such hold any more: they are to go at once.
  const args = [{ tenant: 'main', hold: 'none', queue: 'host-gone', held, claim }];
  const removing = await client.workflow.start('heldNodes', { workflowId, taskQueue: 'control', args });
  await handle().signal(nodesHandedSignal, { token: 'held', holder: workflowId, queue: 'host-gone' });
  await ask('left', 1);
  assert.deepEqual(await leases(), ['held', 'left']);
  await tell({ hosts: [{ name: 'there', queue: testHost }] });
  await handle().signal(nodesLostSignal, { token: 'left' });
  await until('the lost one is given up', async () => !(await leases()).includes('left'));
  await removing.result();
  await until('the held one is given up', async () => (await leases()).length === 0);
  assert.ok(!world.outside.swept.includes('held'), 'nobody was there to remove it');
  await replays(client, entity);
  await replays(client, workflowId);
  await tell(capacity);
  await standReady(2);
});

test('I10: what a job has left on a host that was taken out is removed while the worker there still serves', async () => {
  await tell({ hosts: [{ name: 'out', queue: testHost }] });
  await ask('out', 1);
  await until('it is lent', async () => (await desk()).leases.length === 1);
  await tell({ hosts: [{ name: 'there', queue: 'host-there' }] });
  await handle().signal(nodesLostSignal, { token: 'out' });
  await until('it counts no longer', async () => (await desk()).leases.length === 0);
  assert.ok(world.outside.swept.includes('build-out'));
  await replays(world.temporal.client, entity);
  await tell(capacity);
  await standReady(2);
});

test('I10: what stood ready on the last other host, which died and was taken out, is given up', async () => {
  await tell({ hosts: [{ name: 'out', queue: testHost }], ready: [wish] });
  await standReady(2);
  world.outside.unswept = 'its host is dead';
  await tell({ queue: 'host-own', maxServers: 2 });
  assert.deepEqual(await ask('room', 2, {}), { state: 'waits' });
  await until('they count no longer', async () => (await desk()).leases.length === 1);
  world.outside.unswept = undefined;
  await handle().signal(nodesReleaseSignal, { token: 'room' });
  await replays(world.temporal.client, entity);
  await tell(capacity);
  await standReady(2);
});

test('I10: what nobody wishes any more goes, also while it is being made', async (t) => {
  let go = () => {};
  const held = new Promise<undefined>((resolve) => {
    go = () => resolve(undefined);
  });
  t.after(() => go());
  world.outside.making = () => held;
  const [lent = ''] = await standReady(2);
  world.outside.standing.delete(lent);
  await until('one is being made', async () => (await desk()).ready?.some(({ state }) => state === 'making') ?? false);
  await tell({ maxServers: 3, ready: [] });
  await until('it is waited for', async () => (await desk()).ready?.length === 1);
  go();
  await until('nothing stands ready', async () => (await desk()).ready?.length === 0);
  assert.equal(world.outside.standing.size, 0);
});
