import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { pauseMirrors, resumeMirrors, saidOutcome } from '../../../activities/mirror/pause.ts';
import { look, mirrorWorld } from './world.ts';

test('syncs of a paused set become one when it is resumed, and the latest state wins', async (t) => {
  const world = await mirrorWorld(t);
  const root = world.local('m1');
  const set = world.set({ hosts: { m1: { url: root } } });
  await world.publish('alpha', '1');
  const first = await world.sync(set);
  const paused = await pauseMirrors(set, world.context);
  assert.deepEqual([paused.outcome, paused.hosts.m1?.target], ['unchanged', first.snapshot]);
  for (const name of ['beta', 'gamma']) {
    await world.publish(name, '1');
    const queued = await world.sync(set);
    assert.deepEqual([queued.outcome, queued.snapshot], ['unchanged', first.snapshot]);
    assert.equal(saidOutcome(queued), 'paused');
  }
  assert.deepEqual((await look(root)).snapshots, [first.snapshot]);
  assert.match(world.said.at(-1) ?? '', /deb is paused/);
  await pauseMirrors(set, world.context);
  const status = await mirrorStatus(set, world.context);
  assert.deepEqual([status.paused !== null, status.queued], [true, true]);
  await world.publish('delta', '1');
  const resumed = await resumeMirrors(set, world.context);
  assert.equal(resumed.outcome, 'committed');
  assert.equal(saidOutcome(resumed), 'committed');
  assert.deepEqual(
    resumed.packages.added.map(({ name }) => name),
    ['beta', 'delta', 'gamma'],
  );
  const { paused: since, queued } = await mirrorStatus(set, world.context);
  assert.deepEqual([since, queued, (await look(root)).latest], [null, false, resumed.snapshot]);
});

test('resuming sends nothing that nobody asked for', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  await pauseMirrors(set, world.context);
  await world.publish('alpha', '1');
  assert.equal((await world.sync(set)).outcome, 'unchanged');
  assert.equal((await resumeMirrors(set, world.context)).outcome, 'committed');
  await pauseMirrors(set, world.context);
  await world.publish('beta', '1');
  assert.equal((await resumeMirrors(set, world.context)).outcome, 'unchanged');
  assert.equal((await world.sync(set)).outcome, 'committed');
});
