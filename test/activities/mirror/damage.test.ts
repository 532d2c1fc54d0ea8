import assert from 'node:assert/strict';
import { appendFile, chmod, chown, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mirrorStatus, pruneMirrors } from '../../../activities/mirror/inspect.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { startKinds } from './kinds.ts';
import { look, mirrorWorld } from './world.ts';

const deb = 'pool/main/a/alpha/alpha_1_all.deb';

const { host } = await startKinds();

for (const kind of ['a daemon', 'an SFTP server'] as const) {
  test(`W5: bytes added to a package on ${kind} are seen by status, and mended by sync in all snapshots`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const { root, ...m2 } = await host(world, kind, 'm2');
    const set = world.set({ timeout: 60, hosts: { m1: { url: world.local('m1') }, m2 } });
    const first = await world.sync(set);
    await world.publish('beta', '1');
    const second = await world.sync(set);
    const broken = join(root, 'snapshots', second.snapshot ?? '', deb);
    const whole = await readFile(broken);
    const { mtime } = await stat(broken);
    await appendFile(broken, 'more');
    await utimes(broken, mtime, mtime);
    const status = await mirrorStatus(set, world.context);
    assert.deepEqual(
      [status.outcome, status.hosts.m1?.error, status.hosts.m2?.error?.code],
      ['failed', null, 'damaged'],
    );
    // It is shown after its code.
    assert.doesNotMatch(status.hosts.m2?.error?.message ?? '', /damaged/);
    assert.match(status.hosts.m2?.error?.message ?? '', /alpha_1_all.deb has .* run `sluice mirror sync deb`/);
    const mended = await world.sync(set);
    assert.deepEqual(
      [mended.outcome, mended.snapshot, mended.hosts.m1?.outcome, mended.hosts.m2?.outcome, mended.hosts.m2?.files],
      ['committed', second.snapshot, 'unchanged', 'committed', 1],
    );
    for (const name of [first.snapshot, second.snapshot]) {
      assert.deepEqual(await readFile(join(root, 'snapshots', name ?? '', deb)), whole, name ?? '');
    }
    assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
    assert.equal((await world.sync(set)).outcome, 'unchanged');
  });
}

for (const kind of ['a directory', 'an SFTP server'] as const) {
  test(`W5: what only verify sees on ${kind} is mended by the next sync, also on the way to another state`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const { root, ...m1 } = await host(world, kind, 'm1');
    const set = world.set({ timeout: 60, hosts: { m1 } });
    await world.sync(set);
    const broken = join(root, 'stable', deb);
    const spoil = async () => {
      const bytes = await readFile(broken);
      const { mtime } = await stat(broken);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      await writeFile(broken, bytes);
      await utimes(broken, mtime, mtime);
    };
    await spoil();
    assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'failed');
    assert.equal((await mirrorStatus(set, world.context)).hosts.m1?.error?.code, 'damaged');
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    await spoil();
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'failed');
    await world.publish('beta', '1');
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  });

  test(`W5: a file that is gone from ${kind} is sent again, and one that was not sent goes`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const { root, ...m1 } = await host(world, kind, 'm1');
    const set = world.set({ timeout: 60, hosts: { m1 } });
    const { snapshot } = await world.sync(set);
    await rm(join(root, 'stable', deb));
    await writeFile(join(root, 'stable/pool/stray'), 'stray');
    const mended = await world.sync(set);
    assert.deepEqual([mended.outcome, mended.snapshot], ['committed', snapshot]);
    assert.ok((await stat(join(root, 'stable', deb))).isFile());
    await assert.rejects(stat(join(root, 'stable/pool/stray')));
  });
}

test('M4: a directory that the daemon may not read stops no sync, and nothing is removed meanwhile', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const daemon = await world.daemon('m1', ['uid = nobody', 'gid = nogroup']);
  await chown(daemon.root, 65_534, 65_534);
  const set = world.set({ keep: 'latest', hosts: { m1: { url: daemon.url } } });
  const first = await world.sync(set);
  assert.equal(first.outcome, 'committed', JSON.stringify(first));
  const closed = join(daemon.root, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o700);
  await world.publish('beta', '1');
  const second = await world.sync(set);
  assert.equal(second.outcome, 'committed', JSON.stringify(second));
  assert.deepEqual((await look(daemon.root)).snapshots, [first.snapshot, second.snapshot]);
  assert.ok(
    world.said.some((line) => /^m1: nothing was pruned: .*closed/.test(line)),
    world.said.join('\n'),
  );
  const pruned = await pruneMirrors(set, world.context);
  assert.deepEqual([pruned.outcome, pruned.pruned], ['failed', {}]);
  await chmod(closed, 0o755);
  await pruneMirrors(set, world.context);
  assert.deepEqual((await look(daemon.root)).snapshots, [second.snapshot]);
});
