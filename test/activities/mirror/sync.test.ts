import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { mirrorStatus, pruneMirrors } from '../../../activities/mirror/inspect.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { must } from '../../../activities/process/run.ts';
import { kinds, startKinds } from './kinds.ts';
import { contentOf, look, mirrorWorld } from './world.ts';

const { server, host } = await startKinds();

describe('a first synchronisation', () => {
  test('shows the source byte for byte, by relative links, on hosts of all kinds', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1.0-1');
    const hosts = await Promise.all(
      kinds.map(async (kind, nth) => {
        const { root, ...config } = await host(world, kind, `m${nth}`);
        return { root: join(root, 'deb mirror'), config: { ...config, url: `${config.url}/deb mirror` } };
      }),
    );
    const set = world.set({
      timeout: 60,
      hosts: Object.fromEntries(hosts.map(({ config }, nth) => [`m${nth}`, config])),
      heads: ['stable', 'by-name/current'],
    });
    const result = await world.sync(set);
    assert.equal(result.outcome, 'committed', JSON.stringify(result));
    assert.equal(result.snapshot, 'deb-2026-03-04-050608');
    assert.deepEqual(result.packages.added, [{ name: 'alpha', version: '1.0-1', arch: 'all' }]);
    for (const { root } of hosts) {
      const seen = await look(root);
      assert.equal(seen.head, 'snapshots/deb-2026-03-04-050608');
      assert.equal(seen.latest, 'deb-2026-03-04-050608');
      assert.equal(await readFile(join(root, 'stable.target.txt'), 'utf8'), `${seen.head}\n`);
      assert.deepEqual(await contentOf(join(root, 'stable/')), await contentOf(`${await realpath(world.source)}/`));
      assert.equal(await realpath(join(root, 'by-name/current')), await realpath(join(root, 'stable')));
      assert.deepEqual(seen.names, [
        'deb-2026-03-04-050608',
        'deb-2026-03-04-050608.diff.txt',
        'deb-latest',
        'deb-latest.target.txt',
      ]);
    }
  });

  test('needs init to make directories, and makes nothing without it', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const set = world.set({ init: false, hosts: { m1: { url: world.local('m1') } } });
    const { outcome, hosts } = await world.sync(set);
    assert.deepEqual([outcome, hosts.m1?.error?.code, hosts.m1?.phase], ['failed', 'missing', 'connect']);
    await assert.rejects(stat(world.local('m1')));
  });

  test('W12: a rehearsal says what would be sent and makes nothing, not even directories', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const daemon = await world.daemon('m2');
    const { url, ...access } = server.sftp(world.local('m4'));
    const m4 = { ...access, url: `${url}/deep/er` };
    const set = world.set({
      timeout: 60,
      hosts: { m1: { url: world.local('m1') }, m2: { url: `${daemon.url}/deep/er` }, m4 },
    });
    const { outcome, hosts } = await syncMirrors(set, world.context, { dryRun: true });
    assert.equal(outcome, 'unchanged');
    for (const { files, outcome: went, phase, target } of Object.values(hosts)) {
      assert.deepEqual([files > 3, went, phase, target], [true, 'unchanged', 'stage', null]);
    }
    await assert.rejects(stat(world.local('m1')));
    await assert.rejects(stat(join(daemon.root, 'deep')));
    await assert.rejects(stat(world.local('m4')));
    assert.equal((await world.sync(set)).outcome, 'committed');
    await world.publish('beta', '1');
    const second = await syncMirrors(set, world.context, { dryRun: true });
    assert.deepEqual([second.outcome, (await look(world.local('m1'))).snapshots.length], ['unchanged', 1]);
    const hosts2 = { ...set.hosts, m3: { url: world.local('m3') } };
    await writeFile(world.local('m3'), 'no directory');
    for (const [commit, wanted] of [
      ['any', 'partial'],
      ['all', 'failed'],
    ] as const) {
      const third = await syncMirrors({ ...set, hosts: hosts2, commit }, world.context, { dryRun: true });
      assert.equal(third.outcome, wanted);
    }
  });

  test('leaves a directory alone that stands where a head should be', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    await mkdir(join(world.local('m1'), 'stable'), { recursive: true });
    await writeFile(join(world.local('m1'), 'stable/precious'), 'mine');
    const { outcome, hosts } = await world.sync(world.set({ hosts: { m1: { url: world.local('m1') } } }));
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'head']);
    assert.equal(await readFile(join(world.local('m1'), 'stable/precious'), 'utf8'), 'mine');
    assert.deepEqual((await look(world.local('m1'))).snapshots, []);
  });
});

describe('a later synchronisation', () => {
  test('sends an index that was made anew within the same second, and is as long as it was', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    await world.publish('beta', '1');
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    const release = async (root: string) => lstat(join(await realpath(root), 'dists/bookworm/Release'));
    const { mtime, size } = await release(world.source);
    await utimes(join(world.source, 'dists/bookworm/Release'), mtime, mtime);
    assert.equal((await world.sync(set)).outcome, 'committed');
    await world.publish('gamma', '1');
    assert.equal((await release(world.source)).size, size);
    await utimes(join(world.source, 'dists/bookworm/Release'), mtime, mtime);
    const second = await world.sync(set);
    assert.equal(second.outcome, 'committed', JSON.stringify(second));
    assert.deepEqual(
      await contentOf(join(world.local('m1'), 'stable/')),
      await contentOf(`${await realpath(world.source)}/`),
    );
  });

  test('says so when nothing changed, and sends only what did', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1.0-1');
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    const first = await world.sync(set);
    const again = await world.sync(set);
    assert.deepEqual([again.outcome, again.snapshot, again.packages.added], ['unchanged', first.snapshot, []]);
    await world.publish('beta', '2.0-1');
    const before = await contentOf(join(world.local('m1'), 'snapshots', first.snapshot ?? ''));
    const second = await world.sync(set);
    assert.equal(second.outcome, 'committed');
    assert.deepEqual(second.hosts.m1?.packages.added, [{ name: 'beta', version: '2.0-1', arch: 'all' }]);
    assert.deepEqual([second.hosts.m1?.previous, second.hosts.m1?.target], [first.snapshot, second.snapshot]);
    const pool = 'pool/main/a/alpha/alpha_1.0-1_all.deb';
    const inode = async (name: string | null) =>
      (await stat(join(world.local('m1'), 'snapshots', name ?? '', pool))).ino;
    assert.equal(await inode(first.snapshot), await inode(second.snapshot));
    assert.deepEqual(await contentOf(join(world.local('m1'), 'snapshots', first.snapshot ?? '')), before);
    const history = await readFile(join(world.local('m1'), 'stable.target.txt'), 'utf8');
    assert.equal(history, `snapshots/${second.snapshot}\nsnapshots/${first.snapshot}\n`);
  });

  test('takes the next free second when one is taken', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
    const first = await syncMirrors(set, world.context);
    await world.publish('beta', '1');
    const second = await syncMirrors(set, world.context);
    assert.deepEqual([first.snapshot, second.snapshot], ['deb-2026-03-04-050607', 'deb-2026-03-04-050608']);
  });
});

describe('when a host is away', () => {
  test('all: nobody shows the new state', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const daemon = await world.daemon('m2');
    const set = world.set({ hosts: { m1: { url: world.local('m1') }, m2: { url: daemon.url } } });
    const { snapshot } = await world.sync(set);
    await world.publish('beta', '1');
    await daemon.stop();
    const result = await world.sync(set);
    assert.equal(result.outcome, 'failed');
    assert.deepEqual([result.hosts.m2?.phase, result.hosts.m2?.error?.code], ['connect', 'rsync:10']);
    assert.deepEqual((await look(world.local('m1'))).snapshots, [snapshot]);
    await daemon.start();
    assert.equal((await world.sync(set)).outcome, 'committed');
  });

  test('any: the others go on, and it converges to the latest state', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const daemon = await world.daemon('m2');
    const set = world.set({ commit: 'any', hosts: { m1: { url: world.local('m1') }, m2: { url: daemon.url } } });
    const first = await world.sync(set);
    await daemon.stop();
    await world.publish('beta', '1');
    const second = await world.sync(set);
    assert.deepEqual([second.outcome, second.hosts.m2?.outcome], ['partial', 'behind']);
    await world.publish('gamma', '1');
    const third = await world.sync(set);
    await daemon.start();
    const last = await world.sync(set);
    assert.deepEqual(
      [last.outcome, last.hosts.m1?.outcome, last.hosts.m2?.outcome],
      ['committed', 'unchanged', 'committed'],
    );
    assert.deepEqual((await look(daemon.root)).snapshots, [first.snapshot, third.snapshot]);
    assert.deepEqual(
      last.hosts.m2?.packages.added.map(({ name }) => name),
      ['beta', 'gamma'],
    );
  });

  test('a host that never answers costs no more than its timeouts', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const at = (scheme: string) => ({ url: `${scheme}://127.0.0.1:${port}/mirror` });
    const knownHosts = world.local('known_hosts');
    await writeFile(knownHosts, (await readFile(server.knownHosts, 'utf8')).replace(/:\d+/, `:${port}`));
    const m3 = { ...at('sftp'), identity: server.identity, knownHosts };
    // A second each, which is waited for in full; the other sets' 60 s would be more than all may take together.
    const set = world.set({ timeout: 1, hosts: { m1: at('rsync'), m2: at('ssh'), m3 } });
    const started = Date.now();
    const { hosts } = await world.sync(set);
    for (const { error } of Object.values(hosts)) assert.equal(error?.code, 'timeout', JSON.stringify(hosts));
    assert.ok(Date.now() - started < 60_000);
  });
});

describe('what a mirror does wrong', () => {
  test('munged links are found before anything is shown', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const daemon = await world.daemon('m1', ['munge symlinks = yes']);
    const { outcome, hosts } = await world.sync(world.set({ hosts: { m1: { url: daemon.url } } }));
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'munged']);
    const seen = await look(daemon.root);
    assert.deepEqual([seen.head, seen.latest, seen.names], [null, null, []]);
  });

  test('a read-only module and an unknown one fail with the code of rsync', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const daemon = await world.daemon('m1', ['read only = yes']);
    const url = daemon.url.replace('/mirror', '/nowhere');
    const set = world.set({ commit: 'any', hosts: { m1: { url: daemon.url }, m2: { url } } });
    const { hosts, outcome } = await world.sync(set);
    assert.deepEqual([outcome, hosts.m1?.error?.code, hosts.m2?.error?.code], ['failed', 'rsync:1', 'rsync:5']);
  });

  test('a full disk leaves the old state and no partial snapshot', async (t) => {
    const world = await mirrorWorld(t);
    const small = await mkdtemp(join(tmpdir(), 'sluice-small-'));
    await must('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', small]);
    t.after(async () => {
      await must('umount', [small]);
      await rm(small, { recursive: true });
    });
    await world.publish('alpha', '1');
    const source = await world.plain();
    const set = world.set({ source, hosts: { m1: { url: small }, m2: { url: world.local('m2') } } });
    const first = await world.sync(set);
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    await writeFile(join(source, 'pool/noise'), randomBytes(600_000));
    const second = await world.sync(set);
    assert.deepEqual([second.outcome, second.hosts.m1?.error?.code], ['failed', 'rsync:11']);
    assert.equal(second.hosts.m2?.outcome, 'rolled-back');
    for (const root of [small, world.local('m2')]) {
      const seen = await look(root);
      assert.deepEqual([seen.latest, seen.snapshots], [first.snapshot, [first.snapshot]]);
    }
  });

  test('a source that is not what its own index says is not published', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    await writeFile(join(await realpath(world.source), 'pool/main/a/alpha/alpha_1_all.deb'), 'broken');
    const { outcome, hosts } = await world.sync(world.set({ hosts: { m1: { url: world.local('m1') } } }));
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'verify']);
  });
});

test('a file of the source that is written to in place while it is sent is not published', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const first = await world.sync(set);
  await world.publish('beta', '1');
  const file = 'pool/main/b/beta/beta_1_all.deb';
  const victim = join(await realpath(world.source), file);
  const now = () => {
    // Asked for the new snapshot's name: between reading and sending.
    if (existsSync(join(world.local('m1'), 'snapshots/.deb.lock'))) appendFileSync(victim, 'half');
    return world.context.now() + 1_000;
  };
  const second = await syncMirrors(set, { ...world.context, now });
  assert.deepEqual([second.outcome, second.hosts.m1?.error?.code], ['failed', 'verify'], JSON.stringify(second));
  assert.deepEqual((await look(world.local('m1'))).snapshots, [first.snapshot]);
});

describe('rolling back', () => {
  test('goes to the snapshot before, once, and the next sync publishes the source again', async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m2');
    const hosts = { m1: { url: world.local('m1') }, m2: { url: daemon.url }, m3: server.sftp(world.local('m3')) };
    const set = world.set({ timeout: 60, hosts });
    const names: (string | null)[] = [];
    for (const name of ['alpha', 'beta', 'gamma']) {
      await world.publish(name, '1');
      names.push((await world.sync(set)).snapshot);
    }
    const back = await rollbackMirrors(set, world.context);
    assert.deepEqual([back.outcome, back.snapshot], ['committed', names[1]]);
    assert.deepEqual(
      back.packages.removed.map(({ name }) => name),
      ['gamma'],
    );
    const again = await rollbackMirrors(set, world.context);
    assert.deepEqual([again.outcome, again.snapshot], ['unchanged', names[1]]);
    for (const root of [daemon.root, world.local('m3')]) {
      assert.equal((await look(root)).head, `snapshots/${names[1]}`);
    }
    assert.equal((await rollbackMirrors(set, world.context, { to: names[0] ?? '' })).snapshot, names[0]);
    const refused = await rollbackMirrors(set, world.context, { to: 'deb-2020-01-01-000000' });
    assert.deepEqual([refused.outcome, refused.hosts.m1?.error?.code], ['failed', 'expired']);
    const next = await world.sync(set);
    assert.equal(next.outcome, 'committed');
    assert.ok((next.snapshot ?? '') > (names[2] ?? ''));
  });
});

test('a rollback of what was never synchronised says so, whether there is a directory or not', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ init: false, hosts: { m1: { url: world.local('m1') } } });
  const wanted = /^nothing was published here/;
  assert.match((await rollbackMirrors(set, world.context)).hosts.m1?.error?.message ?? '', wanted);
  await mkdir(join(world.local('m1'), 'snapshots'), { recursive: true });
  assert.match((await rollbackMirrors(set, world.context)).hosts.m1?.error?.message ?? '', wanted);
  await rm(world.local('m1'), { recursive: true });
  const made = { ...set, init: true };
  assert.match((await rollbackMirrors(made, world.context)).hosts.m1?.error?.message ?? '', wanted);
});

test('a rollback where there is one snapshot says that there is none before it, and not that one has expired', async (t) => {
  const world = await mirrorWorld(t);
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  await world.publish('alpha', '1');
  await world.sync(set);
  const { outcome, hosts } = await rollbackMirrors(set, world.context);
  assert.equal(outcome, 'failed');
  assert.deepEqual(hosts.m1?.error, { code: 'missing', message: 'there is no earlier snapshot on every host' });
});

describe('retention', () => {
  for (const kind of ['a directory', 'an SFTP server'] as const) {
    test(`removes what is old and shown by no link anywhere on ${kind}, and nothing else`, async (t) => {
      const world = await mirrorWorld(t);
      const { root, ...m1 } = await host(world, kind, 'm1');
      const set = world.set({ keep: 86_400, timeout: 60, hosts: { m1 } });
      const names: string[] = [];
      for (const name of ['alpha', 'beta', 'gamma', 'delta']) {
        await world.publish(name, '1');
        names.push((await world.sync(set)).snapshot ?? '');
      }
      await symlink(`snapshots/${names[0]}/`, join(root, 'pinned'));
      await mkdir(join(root, 'elsewhere'));
      await symlink(`../snapshots/${names[1]}`, join(root, 'elsewhere/frozen'));
      await mkdir(join(root, 'snapshots/deb-other-2020-01-01-000000'));
      world.later(2 * 86_400);
      const rehearsed = await pruneMirrors(set, world.context, { dryRun: true });
      assert.deepEqual(rehearsed.pruned, { m1: [names[2]] });
      assert.equal((await look(root)).snapshots.length, 4);
      await pruneMirrors(set, world.context);
      const seen = await look(root);
      assert.deepEqual(seen.snapshots, [names[0], names[1], names[3]]);
      assert.ok(seen.names.includes('deb-other-2020-01-01-000000'));
      assert.ok(!seen.names.includes(`${names[2]}.diff.txt`));
    });
  }
});

describe('looking', () => {
  test('status names links, snapshots and locks; verify finds what was changed on a mirror', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const root = world.local('m1');
    const set = world.set({ hosts: { m1: { url: root } } });
    const { snapshot } = await world.sync(set);
    const status = await mirrorStatus(set, world.context);
    assert.deepEqual(
      [status.outcome, status.snapshot, status.hosts.m1?.snapshots],
      ['unchanged', snapshot, [snapshot]],
    );
    const other = world.set({ name: 'other', heads: ['edge'], hosts: { m1: { url: root } } });
    const theirs = await world.sync(other);
    const linksOf = async (each: typeof set) => (await mirrorStatus(each, world.context)).hosts.m1?.links;
    assert.deepEqual(await linksOf(set), { 'snapshots/deb-latest': snapshot, stable: `snapshots/${snapshot}` });
    assert.deepEqual(await linksOf(other), {
      'snapshots/other-latest': theirs.snapshot,
      edge: `snapshots/${theirs.snapshot}`,
    });
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    await rm(join(root, 'stable/pool/main/a/alpha/alpha_1_all.deb'));
    const verified = await verifyMirrors(set, world.context);
    assert.deepEqual([verified.outcome, verified.hosts.m1?.error?.code], ['failed', 'verify']);
  });

  test('a lock of another installation is respected until it runs out', async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const root = world.local('m1');
    await mkdir(join(root, 'snapshots'), { recursive: true });
    const lock = { holder: 'elsewhere', expires: world.context.now() + 60_000 };
    await writeFile(join(root, 'snapshots/.deb.lock'), JSON.stringify(lock));
    const set = world.set({ hosts: { m1: { url: root } } });
    const { outcome, hosts } = await world.sync(set);
    assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'locked']);
    assert.match(hosts.m1?.error?.message ?? '', /elsewhere/);
    world.later(120);
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.ok(world.said.some((line) => /took over the lock of elsewhere/.test(line)));
  });
});
