import assert from 'node:assert/strict';
import { cp, lstat, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mirrorStatus, pruneMirrors } from '../../../activities/mirror/inspect.ts';
import { rollbackMirrors } from '../../../activities/mirror/rollback.ts';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { makePackage } from '../repository/packages.ts';
import { type Kind, kinds, startKinds } from './kinds.ts';
import { look, mirrorWorld, type World } from './world.ts';

const { host } = await startKinds();

const packageOf = (name: string) => `pool/main/${name[0]}/${name}/${name}_1_all.deb`;

/** Every file that a reader of a head finds, through links, with its content. */
async function shownAt(head: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const read = async (path: string): Promise<void> => {
    for (const name of await readdir(join(head, path))) {
      const inner = join(path, name);
      const about = await stat(join(head, inner));
      if (about.isDirectory()) await read(inner);
      else found[inner] = await readFile(join(head, inner), 'base64');
    }
  };
  await read('');
  return found;
}

/** Changes a byte of a file, and neither its size nor its time. */
async function spoilUnseen(path: string): Promise<void> {
  const { mtime } = await stat(path);
  const bytes = await readFile(path);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(path, bytes);
  await utimes(path, mtime, mtime);
}

/** A set in this layout with one host, and what its readers must find. */
async function open(world: World, kind: Kind, given: Partial<MirrorSet> = {}) {
  const { root, ...m1 } = await host(world, kind, 'm1');
  const set = world.set({ layout: 'pool', timeout: 60, hosts: { m1 }, ...given });
  const inPool = join(root, 'snapshots/deb-pool');
  return { set, root, pool: inPool, head: join(root, 'stable') };
}

for (const kind of kinds) {
  test(`T01 T03 T04: on ${kind} packages stand in one pool, and each snapshot shows its own state`, async (t) => {
    const world = await mirrorWorld(t);
    const { set, root, pool, head } = await open(world, kind);
    await world.publish('alpha', '1');
    const first = await world.sync(set);
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    assert.equal(await readlink(join(head, 'pool')), '../deb-pool/pool');
    const before = await shownAt(head);
    const { ino } = await lstat(join(pool, packageOf('alpha')));
    await world.publish('beta', '1');
    const second = await world.sync(set);
    assert.equal(second.outcome, 'committed', JSON.stringify(second));
    // One package, and no more indexes than changed.
    const changed =
      (await readFile(join(root, `snapshots/${second.snapshot}.diff.txt`), 'utf8')).match(/^[<>]f.*/gm) ?? [];
    assert.deepEqual(
      changed.filter((line) => /\.deb$/.test(line)).map((line) => line.split(' ')[1]),
      [packageOf('beta')],
    );
    assert.equal(second.hosts.m1?.files, changed.length);
    assert.equal((await lstat(join(pool, packageOf('alpha')))).ino, ino);
    assert.deepEqual(await shownAt(head), await shownAt(world.source));
    const old = await shownAt(join(root, 'snapshots', first.snapshot ?? ''));
    for (const [path, content] of Object.entries(before)) assert.equal(old[path], content, path);
    assert.deepEqual((await world.sync(set)).outcome, 'unchanged');
    const verified = await verifyMirrors(set, world.context);
    assert.deepEqual([verified.outcome, verified.hosts.m1?.error], ['unchanged', null]);
    assert.match(verified.checked ?? '', /m1: 2 packages, \d+ indexes, \d+ files as sent/);
  });

  test(`T25 T27: on ${kind} the pool keeps what any kept snapshot names, and nothing else`, async (t) => {
    const world = await mirrorWorld(t);
    const { set, root, pool } = await open(world, kind, { keep: 60 });
    const made = async (name: string) => makePackage('deb', world.directory, { name, version: '1' });
    const names = ['stays', 'alpha', 'beta', 'gamma'];
    const files = new Map(await Promise.all(names.map(async (name) => [name, await made(name)] as const)));
    let repositories = 0;
    /** Each time another repository, which knows nothing of those before. */
    const publish = async (name: string) => {
      repositories += 1;
      const dir = world.local(`repository-${repositories}`);
      const some = ['stays', name].map((one) => files.get(one) ?? '');
      const request = { dir, files: some, settings: { codename: 'bookworm' }, date: new Date() };
      await publishPackages(repositoryFormats.deb, request);
      return world.sync({ ...set, source: dir });
    };
    const first = await publish('alpha');
    assert.equal(first.outcome, 'committed', JSON.stringify(first));
    world.later(50);
    await publish('beta');
    const back = await rollbackMirrors(set, world.context, { to: first.snapshot ?? '' });
    assert.equal(back.outcome, 'committed', JSON.stringify(back));
    assert.ok((await shownAt(join(root, 'stable')))[packageOf('alpha')]);
    world.later(500);
    const third = await publish('gamma');
    assert.equal(third.outcome, 'committed', JSON.stringify(third));
    assert.deepEqual((await look(root)).snapshots, [third.snapshot]);
    assert.deepEqual(Object.keys(await shownAt(pool)).sort(), [packageOf('gamma'), packageOf('stays')]);
    assert.deepEqual((await readdir(join(pool, 'pool/main'))).sort(), ['g', 's']);
    assert.equal((await mirrorStatus(set, world.context)).outcome, 'unchanged');
    // What went is sent again where it comes back.
    assert.equal((await publish('alpha')).outcome, 'committed');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  });

  test(`T17 W5: what is damaged in the pool or in a snapshot on ${kind} is found and mended`, async (t) => {
    const world = await mirrorWorld(t);
    const { set, root, pool } = await open(world, kind);
    await world.publish('alpha', '1');
    await world.publish('beta', '1');
    const { snapshot } = await world.sync(set);
    const whole = await shownAt(join(root, 'stable'));
    const spoil: readonly (() => Promise<unknown>)[] = [
      () => rm(join(pool, packageOf('alpha'))),
      () => writeFile(join(pool, packageOf('alpha')), 'broken'),
      () => rm(join(root, 'snapshots', snapshot ?? '', 'pool')),
      () => rm(join(root, 'stable/dists/bookworm/Release')),
    ];
    for (const damage of spoil) {
      await damage();
      assert.equal((await mirrorStatus(set, world.context)).hosts.m1?.error?.code, 'damaged');
      const mended = await world.sync(set);
      assert.deepEqual([mended.outcome, mended.snapshot], ['committed', snapshot], JSON.stringify(mended));
      assert.deepEqual(await shownAt(join(root, 'stable')), whole);
    }
    await spoilUnseen(join(pool, packageOf('beta')));
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'failed');
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    await spoilUnseen(join(pool, packageOf('beta')));
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'failed');
    // Also on the way to another state.
    await world.publish('gamma', '1');
    assert.equal((await world.sync(set)).outcome, 'committed');
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
    assert.equal((await world.sync(set)).outcome, 'unchanged');
  });

  test(`T35: the same name with other content is refused for ${kind} before anything is sent`, async (t) => {
    const world = await mirrorWorld(t);
    const { set, root, pool } = await open(world, kind);
    await world.publish('alpha', '1');
    const first = await world.sync(set);
    const before = await shownAt(pool);
    await rm(world.source, { recursive: true });
    await rm(world.local('.released.generations'), { recursive: true });
    const fields = { Recommends: 'other' };
    const file = await makePackage('deb', world.directory, { name: 'alpha', version: '1', fields });
    const settings = { codename: 'bookworm' };
    await publishPackages(repositoryFormats.deb, { dir: world.source, files: [file], settings, date: new Date() });
    const hosts = { ...set.hosts, m2: { url: world.local('m2') } };
    for (const context of [world.context, world.elsewhere()]) {
      world.later(10);
      const refused = await syncMirrors({ ...set, hosts }, context);
      assert.deepEqual(
        [refused.outcome, refused.hosts.m1?.error?.code],
        ['failed', 'immutable'],
        JSON.stringify(refused),
      );
      assert.match(refused.hosts.m1?.error?.message ?? '', /alpha_1_all.deb is in the pool with other content/);
    }
    assert.deepEqual(await shownAt(pool), before);
    assert.deepEqual((await look(root)).snapshots, [first.snapshot]);
    assert.deepEqual((await look(world.local('m2'))).snapshots, []);
  });
}

test('T10: what a transaction brought to the pool goes with it where it is undone', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const { set, pool } = await open(world, 'a directory');
  const both = { ...set, hosts: { ...set.hosts, m2: { url: daemon.url } } };
  await world.publish('alpha', '1');
  assert.equal((await world.sync(both)).outcome, 'committed');
  await world.publish('beta', '1');
  await writeFile(join(daemon.root, 'snapshots/.deb.lock'), JSON.stringify({ holder: 'x', expires: Date.now() * 2 }));
  assert.equal((await world.sync(both)).outcome, 'failed');
  await rm(join(daemon.root, 'snapshots/.deb.lock'));
  // A directory in the way of a link's history stands for any failure in the middle of the flip.
  await rm(join(daemon.root, 'stable.target.txt'));
  await cp(world.local('m1/snapshots'), join(daemon.root, 'stable.target.txt'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const failed = await world.sync(both);
  assert.ok(['failed', 'diverged'].includes(failed.outcome), JSON.stringify(failed));
  await rm(join(daemon.root, 'stable.target.txt'), { recursive: true });
  assert.equal((await mirrorStatus(both, world.context)).outcome, 'unchanged');
  for (const place of [pool, join(daemon.root, 'snapshots/deb-pool')]) {
    assert.deepEqual(Object.keys(await shownAt(place)), [packageOf('alpha')]);
    assert.deepEqual(await readdir(join(place, 'pool/main')), ['a']);
  }
  assert.equal((await world.sync(both)).outcome, 'committed');
});

test('two installations share a pool: neither removes what the other may need', async (t) => {
  const world = await mirrorWorld(t);
  const { set, root, head } = await open(world, 'a directory', { keep: 'latest' });
  const elsewhere = world.elsewhere();
  const sync = (context: World['context']) => {
    world.later(5);
    return syncMirrors(set, context);
  };
  await world.publish('alpha', '1');
  assert.equal((await sync(world.context)).outcome, 'committed');
  await world.publish('beta', '1');
  assert.equal((await sync(elsewhere)).outcome, 'committed');
  await world.publish('gamma', '1');
  assert.equal((await sync(world.context)).outcome, 'committed');
  assert.equal((await pruneMirrors(set, elsewhere)).outcome, 'unchanged');
  assert.deepEqual(await shownAt(head), await shownAt(world.source));
  assert.equal((await look(root)).snapshots.length, 1);
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
});

test('a set that goes over to the other layout and back sends no package again', async (t) => {
  const world = await mirrorWorld(t);
  const { set, root, head } = await open(world, 'a directory');
  const layouts = ['snapshots', 'pool', 'pool', 'snapshots', 'pool'] as const;
  for (const [nth, layout] of layouts.entries()) {
    await world.publish(`alpha${nth}`, '1');
    const result = await world.sync({ ...set, layout });
    assert.equal(result.outcome, 'committed', JSON.stringify(result));
    const report = await readFile(join(root, `snapshots/${result.snapshot}.diff.txt`), 'utf8');
    assert.equal(report.match(/^[<>]f.*\.deb$/gm)?.length, 1, report);
    assert.deepEqual(await shownAt(head), await shownAt(world.source));
    assert.equal((await verifyMirrors(set, world.context)).outcome, 'unchanged');
  }
  await writeFile(join(root, 'stable', packageOf('alpha0')), 'broken');
  assert.equal((await verifyMirrors(set, world.context)).outcome, 'failed');
  assert.equal((await world.sync({ ...set, layout: 'pool' })).outcome, 'committed');
  for (const name of (await look(root)).snapshots) {
    const shown = await shownAt(join(root, 'snapshots', name));
    assert.equal(shown[packageOf('alpha0')], (await shownAt(world.source))[packageOf('alpha0')], name);
  }
});

test('W12: a rehearsal counts what the pool lacks, and sends nothing', async (t) => {
  const world = await mirrorWorld(t);
  const { set, pool } = await open(world, 'a directory');
  await world.publish('alpha', '1');
  await world.sync(set);
  // A rehearsal compares sizes and seconds: an index of the same size must not be of the same second.
  await sleep(1_000);
  await world.publish('beta', '1');
  const rehearsed = await syncMirrors(set, world.context, { dryRun: true });
  assert.deepEqual(Object.keys(await shownAt(pool)), [packageOf('alpha')]);
  const sent = await world.sync(set);
  assert.equal(rehearsed.hosts.m1?.files, sent.hosts.m1?.files);
});

test('packages of RPM repositories are shared, beside the metadata of each state', async (t) => {
  const world = await mirrorWorld(t);
  const { set, head, pool } = await open(world, 'a directory');
  for (const name of ['alpha', 'beta']) {
    const file = await makePackage('rpm', world.directory, { name, version: '1' });
    const request = { dir: world.source, files: [file], settings: {}, date: new Date() };
    await publishPackages(repositoryFormats.rpm, request);
    const result = await world.sync(set);
    assert.equal(result.outcome, 'committed', JSON.stringify(result));
  }
  assert.equal(await readlink(join(head, 'Packages')), '../deb-pool/Packages');
  assert.deepEqual(await shownAt(head), await shownAt(world.source));
  assert.deepEqual(await readdir(pool), ['Packages']);
});
