import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { flipTogether } from '../../../activities/mirror/flip.ts';
import { closeSessions, holdSessions, openSessions } from '../../../activities/mirror/session.ts';
import { withSetState } from '../../../activities/mirror/state.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import { prepareFlip } from '../../../activities/mirror/transaction.ts';
import { look, mirrorWorld } from './world.ts';

test('no head is turned on any host where one is overtaken ahead of it', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const roots = ['m1', 'm2', 'm3'].map((name) => world.local(name));
  const set = world.set({ hosts: Object.fromEntries(roots.map((url, at) => [`m${at + 1}`, { url }])) });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  const other = JSON.stringify({ holder: 'elsewhere', token: 'x', fence: 1, taken: 0, expires: Date.now() * 2 });
  const now = () => {
    // From when the new snapshot is begun each asks for the time ahead of looking at its lock.
    const begun = readdirSync(join(world.context.state, 'deb/manifests')).length > 1;
    if (begun) writeFileSync(join(world.local('m3'), 'snapshots/.deb.lock'), other);
    return world.context.now() + 1_000;
  };
  const second = await syncMirrors(set, { ...world.context, now });
  const outcomes = Object.values(second.hosts).map(({ outcome }) => outcome);
  assert.deepEqual([second.outcome, ...outcomes], ['failed', 'rolled-back', 'rolled-back', 'failed']);
  assert.deepEqual([second.hosts.m3?.phase, second.hosts.m3?.error?.code], ['verify', 'locked']);
  for (const root of roots) {
    assert.equal((await look(root)).latest, first.snapshot);
    // Whatever was shown in between would stand here.
    assert.equal(await readFile(join(root, 'stable.target.txt'), 'utf8'), `snapshots/${first.snapshot}\n`);
  }
});

test('a head waits until all others are ready, and its lock is looked at again after a long wait', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') }, m2: { url: world.local('m2') } } });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  await world.sync(set);
  await withSetState(set, world.context, async (state) => {
    const sessions = await openSessions(set, world.context);
    await holdSessions(sessions, { state, context: world.context });
    let ready = 0;
    let asked = 0;
    const [quick, slow] = sessions;
    assert.ok(quick && slow);
    const never = () => assert.fail('another flip');
    const release = { quick: quick.lock, slow: slow.lock };
    const count = async () => {
      asked += 1;
      return new Map();
    };
    const wait = async () => {
      await sleep(1_500);
      ready = Date.now();
      return new Map();
    };
    quick.lock = { linksHold: true, check: count, release: async () => release.quick?.release() };
    // What was made ready for another snapshot is made ready again.
    quick.flip = { isReady: (snapshot) => snapshot !== first.snapshot, turn: never, readBack: never };
    slow.lock = { linksHold: true, check: wait, release: async () => release.slow?.release() };
    await flipTogether(sessions, first.snapshot ?? '');
    assert.deepEqual([quick.error, slow.error], [null, null]);
    assert.equal(quick.flip, null);
    for (const name of ['m1', 'm2']) {
      assert.equal((await look(world.local(name))).latest, first.snapshot);
      assert.ok((await lstat(join(world.local(name), 'stable'))).ctimeMs >= ready - 20, `${name} turned too early`);
    }
    assert.equal(asked, 2);
    await closeSessions(sessions);
  });
});

test('a head that was made ready while its snapshot was sent asks for its lock again after a second', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const { snapshot: first } = await world.sync(set);
  await world.publish('beta', '1');
  const { snapshot: second } = await world.sync(set);
  assert.ok(first && second);
  let time = 0;
  t.mock.method(performance, 'now', () => time);
  await withSetState(set, world.context, async (state) => {
    const sessions = await openSessions(set, world.context);
    await holdSessions(sessions, { state, context: world.context });
    const [session] = sessions;
    assert.ok(session?.lock);
    const check = t.mock.method(session.lock, 'check');
    for (const { ready, turned, after, looks } of [
      { ready: first, turned: first, after: 1_000, looks: 1 },
      { ready: second, turned: second, after: 1_001, looks: 2 },
      { ready: second, turned: first, after: 0, looks: 2 },
    ]) {
      check.mock.resetCalls();
      session.flip = await prepareFlip(session, ready);
      time += after;
      await flipTogether(sessions, turned);
      assert.deepEqual([session.error, check.mock.callCount()], [null, looks], `${after} ms`);
      // With the histories, which is ahead of turning: while the others turn nobody asks.
      for (const { arguments: given } of check.mock.calls) assert.equal(given.length, 1);
      assert.equal((await look(world.local('m1'))).latest, turned);
    }
    await closeSessions(sessions);
  });
});
