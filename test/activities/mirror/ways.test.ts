import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mirrorStatus } from '../../../activities/mirror/inspect.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { type KindOfHost, kinds, startKinds } from './kinds.ts';
import { mirrorWorld, type World } from './world.ts';

const { host } = await startKinds();
const here = [...kinds, 'a daemon in a chroot'] as const;

function hostOf(world: World, kind: (typeof here)[number]): Promise<KindOfHost> {
  return kind === 'a daemon in a chroot' ? world.daemon('m1', ['use chroot = yes']) : host(world, kind, 'm1');
}

/** A folder with something that readers know, and a link by which they come to it. */
async function leaveLink(root: string, link: string, target: string): Promise<void> {
  await mkdir(join(root, target), { recursive: true });
  await writeFile(join(root, target, 'precious'), 'mine');
  await symlink(target, join(root, link));
}

for (const kind of here) {
  describe(`H1: links in the path on ${kind}`, () => {
    test('H1: a folder behind the root is written to, and stays', async (t) => {
      const world = await mirrorWorld(t);
      await world.publish('alpha', '1');
      const { root, ...m1 } = await hostOf(world, kind);
      await mkdir(root, { recursive: true });
      await leaveLink(root, 'pub', 'real/pub');
      const set = world.set({ timeout: 60, hosts: { m1: { ...m1, url: `${m1.url}/pub` } } });
      const first = await world.sync(set);
      assert.equal(first.outcome, 'committed', JSON.stringify(first));
      await world.publish('beta', '1');
      const second = await world.sync(set);
      assert.equal(second.outcome, 'committed', JSON.stringify(second));
      assert.equal(await readlink(join(root, 'pub')), 'real/pub');
      assert.equal(await readFile(join(root, 'pub/precious'), 'utf8'), 'mine');
      assert.equal(await readlink(join(root, 'real/pub/stable')), `snapshots/${second.snapshot}`);
      assert.deepEqual((await mirrorStatus(set, world.context)).hosts.m1?.snapshots, [first.snapshot, second.snapshot]);
    });

    test('H1: a folder behind the way to a head or to the snapshots stays, and rollback knows the way', async (t) => {
      const world = await mirrorWorld(t);
      await world.publish('alpha', '1');
      const { root, ...m1 } = await hostOf(world, kind);
      await mkdir(root, { recursive: true });
      await leaveLink(root, 'pub', 'real/pub');
      await leaveLink(root, 'snapshots', 'disk2/old');
      const set = world.set({ heads: ['pub/debian', 'stable'], timeout: 60, hosts: { m1 } });
      const first = await world.sync(set);
      assert.equal(first.outcome, 'committed', JSON.stringify(first));
      await world.publish('beta', '1');
      assert.equal((await world.sync(set)).outcome, 'committed');
      const back = await rollbackMirrors(set, world.context);
      assert.deepEqual([back.outcome, back.snapshot], ['committed', first.snapshot]);
      for (const [link, target] of [
        ['pub', 'real/pub'],
        ['snapshots', 'disk2/old'],
      ] as const) {
        assert.equal(await readlink(join(root, link)), target);
        assert.equal(await readFile(join(root, link, 'precious'), 'utf8'), 'mine');
      }
      const shown = join(root, 'disk2/old', first.snapshot ?? '');
      assert.equal(await realpath(join(root, 'pub/debian')), shown);
      assert.equal(await realpath(join(root, 'stable')), shown);
    });

    test('H1: a link that leads elsewhere is refused before anything is done', async (t) => {
      const world = await mirrorWorld(t);
      await world.publish('alpha', '1');
      const { root, ...m1 } = await hostOf(world, kind);
      await mkdir(join(root, 'snapshots'), { recursive: true });
      await mkdir(world.local('away'));
      await symlink(world.local('away'), join(root, 'pub'));
      await writeFile(join(root, 'text'), 'mine');
      for (const head of ['pub/debian', 'text/debian']) {
        const { outcome, hosts } = await world.sync(world.set({ heads: [head], timeout: 60, hosts: { m1 } }));
        assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'path'], JSON.stringify(hosts));
      }
      assert.deepEqual(await readdir(join(root, 'snapshots')), []);
      assert.deepEqual((await readdir(root)).sort(), ['pub', 'snapshots', 'text']);
      assert.equal(await readlink(join(root, 'pub')), world.local('away'));
    });
  });
}

test('H1: where a file stands on the way to the root of a daemon, nothing takes its place', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const { url, root } = await world.daemon('m1');
  await writeFile(join(root, 'pub'), 'mine');
  const { outcome, hosts } = await world.sync(world.set({ hosts: { m1: { url: `${url}/pub` } } }));
  assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'path'], JSON.stringify(hosts));
  assert.equal(await readFile(join(root, 'pub'), 'utf8'), 'mine');
});

test('H1: missing directories are made one by one behind a remote shell, readable whatever the umask', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const { url, root } = await world.remote('deep/er/m1');
  const { outcome, hosts } = await world.sync(world.set({ hosts: { m1: { url } } }));
  assert.equal(outcome, 'committed', JSON.stringify(hosts));
  assert.ok((await readdir(join(root, 'stable/'))).includes('dists'));
});
