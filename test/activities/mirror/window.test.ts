import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { pauseMirrors, resumeMirrors, saidOutcome } from '../../../activities/mirror/pause.ts';
import { isDue } from '../../../activities/mirror/wait.ts';
import { parseWindow, type SyncWindow } from '../../../pipelines/mirror/window.ts';
import { look, mirrorWorld } from './world.ts';

/** The world's clock begins at 05:06:07, which is 06:06:07 in Paris. */
const window = parseWindow('22:00-06:00 Europe/Paris') as SyncWindow;
const shut = 'syncs begin 22:00-06:00 Europe/Paris: the next one at 2026-03-04 21:00 UTC';

test('outside their window syncs wait, become one, and the latest state goes when it opens', async (t) => {
  const world = await mirrorWorld(t);
  const root = world.local('m1');
  const set = world.set({ window, hosts: { m1: { url: root } } });
  for (const name of ['alpha', 'beta']) {
    await world.publish(name, '1');
    const waits = await world.sync(set);
    assert.deepEqual(
      [waits.did, waits.outcome, saidOutcome(waits), waits.snapshot],
      ['waiting', 'unchanged', 'waiting', null],
    );
    assert.equal(waits.notes?.[0], shut);
  }
  assert.deepEqual((await look(root)).names, []);
  assert.equal(await isDue(set, world.context), false);
  // A configuration that was read again may have another window, or none.
  assert.equal(await isDue({ ...set, window: undefined }, world.context), true);
  world.later(16 * 3600);
  assert.equal(await isDue(set, world.context), true);
  await world.publish('gamma', '1');
  const sent = await world.sync(set);
  assert.equal(sent.outcome, 'committed');
  assert.deepEqual(
    sent.packages.added.map(({ name }) => name),
    ['alpha', 'beta', 'gamma'],
  );
  assert.equal(await isDue(set, world.context), false);
});

test('status says until when a sync waits, and one that goes at once takes its place', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ window, hosts: { m1: { url: world.local('m1') } } });
  await world.publish('alpha', '1');
  await world.sync({ ...set, window: undefined });
  await world.publish('beta', '1');
  await world.sync(set);
  const waiting = await mirrorStatus(set, world.context);
  assert.deepEqual([waiting.queued, waiting.shut, waiting.outcome], [true, shut, 'unchanged']);
  assert.equal((await world.sync({ ...set, window: undefined })).outcome, 'committed');
  const { queued } = await mirrorStatus(set, world.context);
  assert.deepEqual([queued, await isDue({ ...set, window: undefined }, world.context)], [false, false]);
});

test('a sync that waited for a paused set goes on waiting for the window when it is resumed', async (t) => {
  const world = await mirrorWorld(t);
  const root = world.local('m1');
  const set = world.set({ window, hosts: { m1: { url: root } } });
  await world.publish('alpha', '1');
  await pauseMirrors(set, world.context);
  assert.equal(saidOutcome(await world.sync(set)), 'paused');
  world.later(16 * 3600);
  assert.equal(await isDue(set, world.context), false);
  world.later(8 * 3600);
  const resumed = await resumeMirrors(set, world.context);
  assert.deepEqual([resumed.did, resumed.outcome], ['resumed', 'unchanged']);
  assert.match(resumed.notes?.[0] ?? '', /^syncs begin 22:00-06:00 Europe\/Paris: /);
  assert.deepEqual((await look(root)).names, []);
  world.later(16 * 3600);
  assert.equal(await isDue(set, world.context), true);
  assert.equal((await world.sync(set)).outcome, 'committed');
});
