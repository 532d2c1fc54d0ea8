import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type MirrorHost, openHost } from '../../../activities/mirror/host.ts';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { readLock, takeLock } from '../../../activities/mirror/lock.ts';
import { openSetState } from '../../../activities/mirror/state.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import { look, mirrorWorld, type World } from './world.ts';

/** A directory here, where a lock is taken by a shell, and a daemon, where it is by transfers. */
const kinds = {
  local: async (world: World) => ({ url: world.local('m1'), root: world.local('m1') }),
  daemon: (world: World) => world.daemon('m1'),
};

async function hostIn(world: World, kind: keyof typeof kinds): Promise<MirrorHost> {
  const { url, root } = await kinds[kind](world);
  await mkdir(join(root, 'snapshots'), { recursive: true });
  return openHost(world.set({ hosts: { m1: { url } } }), 'm1');
}

for (const kind of ['local', 'daemon'] as const) {
  test(`a lock that came after the look and ran out is taken over, on ${kind}`, async (t) => {
    const world = await mirrorWorld(t);
    const host = await hostIn(world, kind);
    const view = await host.view();
    const other = await takeLock({ host, view }, 'one', world.context);
    await assert.rejects(takeLock({ host, view }, 'two', world.context), { code: 'locked' });
    await other.check();
    world.later(121);
    const held = await takeLock({ host, view }, 'two', world.context);
    assert.ok(world.said.some((line) => /took over the lock of one, which ran out/.test(line)));
    await held.check();
    await assert.rejects(other.check(), /taken over by two/);
    await held.release();
    await other.release();
  });

  test(`a lock is given back where the host cannot be listed under it, on ${kind}`, async (t) => {
    const world = await mirrorWorld(t);
    const host = await hostIn(world, kind);
    const view = await host.view();
    const broken = { ...host, view: () => Promise.reject(new Error('no list')) };
    await assert.rejects(takeLock({ host: broken, view }, 'one', world.context), /^Error: no list$/);
    assert.deepEqual(
      (await host.view()).entries.map(({ name }) => name),
      view.entries.map(({ name }) => name),
    );
  });
}

for (const kind of ['local', 'daemon'] as const) {
  test(`a sync that finds nothing new gives back what a killed command left locked, and no other's, on ${kind}`, async (t) => {
    const world = await mirrorWorld(t);
    const { url, root } = await kinds[kind](world);
    const set = world.set({ hosts: { m1: { url } } });
    await world.publish('alpha', '1');
    const { snapshot } = await world.sync(set);
    const file = join(root, 'snapshots/.deb.lock');
    const left = { expires: world.context.now() + 100_000, taken: world.context.now(), token: 'left', fence: 1 };
    const { holder } = await openSetState(set, world.context);
    for (const [who, stays] of [
      ['another installation', true],
      [holder, false],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...left, holder: who }));
      const { outcome, hosts } = await world.sync(set);
      assert.deepEqual([outcome, hosts.m1?.target, existsSync(file)], ['unchanged', snapshot, stays], who);
    }
  });
}

test('a lock on a host without a directory of snapshots leaves nothing where the program was started', async (t) => {
  const world = await mirrorWorld(t);
  await mkdir(world.local('m1'), { recursive: true });
  const host = openHost(world.set({ hosts: { m1: { url: world.local('m1') } } }), 'm1');
  await (await takeLock({ host, view: await host.view() }, 'one', world.context)).release();
  const here = await readdir('.');
  assert.deepEqual(
    here.filter((name) => name.startsWith('.deb.lock')),
    [],
  );
});

test('a lock that was listed and is gone by now is not taken from who has it next', async (t) => {
  const world = await mirrorWorld(t);
  const host = await hostIn(world, 'local');
  const empty = await host.view();
  const first = await takeLock({ host, view: empty }, 'one', world.context);
  const view = await host.view();
  await first.release();
  const readTexts = async (paths: readonly string[]) => {
    const texts = await host.transport.readTexts(paths);
    await takeLock({ host, view: empty }, 'next', world.context);
    return texts;
  };
  const late = { ...host, transport: { ...host.transport, readTexts } };
  await assert.rejects(takeLock({ host: late, view }, 'two', world.context), {
    code: 'locked',
    message: /^held by next until /,
  });
  assert.equal((await readLock(host))?.holder, 'next');
});

test('a lock is renewed while a host is listed for long', { timeout: 60_000 }, async (t) => {
  const world = await mirrorWorld(t);
  const host = await hostIn(world, 'local');
  const view = await host.view();
  t.mock.timers.enable({ apis: ['setInterval'] });
  const slow = async () => {
    world.later(100);
    t.mock.timers.tick(40_000);
    while (((await readLock(host))?.expires ?? 0) < world.context.now() + 120_000) await setImmediate();
    world.later(100);
    return host.view();
  };
  const held = await takeLock({ host: { ...host, view: slow }, view }, 'one', world.context);
  await held.check();
  assert.equal((await readLock(host))?.expires, world.context.now() + 120_000, 'what it took counts as well');
  await held.release();
});

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
