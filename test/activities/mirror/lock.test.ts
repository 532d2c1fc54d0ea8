import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openHost } from '../../../activities/mirror/host.ts';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { readLock, takeLock } from '../../../activities/mirror/lock.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import { look, mirrorWorld } from './world.ts';

test('R12: who was overtaken leaves the lock of the other, and is told before a flip', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(join(world.local('m1'), 'snapshots'), { recursive: true });
  const host = openHost(world.set({ hosts: { m1: { url: world.local('m1') } } }), 'm1');
  const find = async () => ({ host, view: await host.view() });
  const first = await takeLock(await find(), 'one', world.context);
  await first.check();
  const before = await readLock(host);
  await assert.rejects(takeLock(await find(), 'two', world.context), {
    code: 'locked',
    message: /^held by one until /,
  });
  world.later(121);
  const second = await takeLock(await find(), 'two', world.context);
  await assert.rejects(first.check(), /taken over by two/);
  await first.release();
  const after = await readLock(host);
  assert.equal(after?.holder, 'two');
  assert.ok((after?.fence ?? 0) > (before?.fence ?? 0));
  await second.check();
  await second.release();
  assert.equal(await readLock(host), null);
});

test('R12: a lock that ran out and that nobody took is renewed, and the work goes on', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(join(world.local('m1'), 'snapshots'), { recursive: true });
  const host = openHost(world.set({ hosts: { m1: { url: world.local('m1') } } }), 'm1');
  const held = await takeLock({ host, view: await host.view() }, 'one', world.context);
  world.later(500);
  await held.check();
  assert.ok(((await readLock(host))?.expires ?? 0) > world.context.now());
  await held.release();
});

test('R12: a sync that was overtaken flips nothing, and leaves what the other has flipped', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const root = world.local('m1');
  const set = world.set({ hosts: { m1: { url: root } } });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  const path = join(root, 'snapshots/.deb.lock');
  const other = JSON.stringify({ holder: 'elsewhere', token: 'x', fence: 1, taken: 0, expires: Date.now() * 2 });
  const now = () => {
    // Asked for the new snapshot's name: between taking the lock and sending.
    if (existsSync(path)) writeFileSync(path, other);
    return world.context.now() + 1_000;
  };
  const second = await syncMirrors(set, { ...world.context, now });
  assert.deepEqual([second.outcome, second.hosts.m1?.error?.code], ['failed', 'locked'], JSON.stringify(second));
  assert.equal((await look(root)).latest, first.snapshot);
  assert.equal(await readFile(path, 'utf8'), other);
});

test('M9: status says how old a lock is, whose, and when it is taken over', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(join(world.local('m1'), 'snapshots'), { recursive: true });
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const host = openHost(set, 'm1');
  const held = await takeLock({ host, view: await host.view() }, 'elsewhere', world.context);
  world.later(50);
  const seen = (await mirrorStatus(set, world.context)).hosts.m1?.lock;
  assert.deepEqual(
    [seen?.holder, seen?.age, seen?.renewed, seen?.left, seen?.abandoned],
    ['elsewhere', 50, 50, 70, false],
  );
  await held.release();
  const old = { holder: 'elsewhere', expires: world.context.now() - 5_000 };
  await writeFile(join(world.local('m1'), 'snapshots/.deb.lock'), JSON.stringify(old));
  const stale = (await mirrorStatus(set, world.context)).hosts.m1?.lock;
  assert.deepEqual([stale?.age, stale?.left], [null, 0]);
});
