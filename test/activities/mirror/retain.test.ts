import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { retainMirrors } from '../../../activities/mirror/retain.ts';
import { openSetState } from '../../../activities/mirror/state.ts';
import { isSettled } from '../../../activities/mirror/unchanged.ts';
import { look, mirrorWorld } from './world.ts';

test('retention goes over all sets: what is old goes, what is new, linked or cannot be seen stays', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const hosts = { m1: { url: world.local('m1') }, m2: { url: daemon.url } };
  const set = world.set({ keep: 86_400, keepAtLeast: 2, timeout: 60, hosts });
  const other = world.set({ name: 'other', heads: ['other'], keep: 0, hosts: { m1: hosts.m1 } });
  const names: string[] = [];
  for (const version of ['1', '2', '3', '4']) {
    await world.publish('one', version);
    names.push((await world.sync(set)).snapshot ?? '');
  }
  assert.equal((await world.sync(other)).outcome, 'committed');
  await symlink(`snapshots/${names[0]}`, join(daemon.root, 'pinned'));
  world.later(2 * 86_400);
  await daemon.stop();
  const [first, second] = await retainMirrors([set, other], () => world.context);
  assert.deepEqual(first?.removed, { m1: [names[0], names[1]] });
  assert.match(first?.kept.join() ?? '', /^m2: .*Connection refused/);
  assert.deepEqual(second, { set: 'other', removed: { m1: [] }, kept: [] });
  await daemon.start();
  assert.deepEqual(await retainMirrors([set], () => world.context), [
    { set: 'deb', removed: { m1: [], m2: [names[1]] }, kept: [] },
  ]);
  assert.deepEqual((await look(daemon.root)).snapshots, [names[0], names[2], names[3]]);
  const { retained } = await mirrorStatus(set, world.context);
  assert.deepEqual(retained, { time: world.context.now(), removed: { m1: [], m2: [names[1]] } });
});

test('what is left of a snapshot on a host that was taken out of the set waits until it is one again', async (t) => {
  const world = await mirrorWorld(t);
  const hosts = { m1: { url: world.local('m1') } };
  const set = world.set({ hosts });
  const state = await openSetState(set, world.context);
  await state.saveCommitted({ snapshot: 'deb-1', digest: 'd' });
  await state.saveRemoving({ m2: ['deb-0'] });
  assert.equal(await isSettled({ set, state }, { digest: 'd' }), true);
  const again = world.set({ hosts: { ...hosts, m2: { url: world.local('m2') } } });
  assert.equal(await isSettled({ set: again, state }, { digest: 'd' }), false);
  await mirrorStatus(again, world.context);
  assert.deepEqual(await state.removing(), {});
});
