import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { makePackage } from '../repository/packages.ts';
import { otherRsyncs } from './rsyncs.ts';
import { contentOf, mirrorWorld, putAhead, type World } from './world.ts';

const lists = 'dists/x/main/binary-amd64';

const others = await otherRsyncs();
const programs = [{ version: 'installed', program: 'rsync' }, ...others];

for (const { version, program } of programs) {
  for (const chroot of ['yes', 'no']) {
    test(`H2: a daemon of rsync ${version}, chroot ${chroot}, is sent what it lacks and nothing more`, async (t) => {
      const world = await mirrorWorld(t);
      await world.publish('alpha', '1');
      const daemon = await world.daemon('m1', [`use chroot = ${chroot}`], program);
      const source = await world.plain();
      const set = world.set({ source, hosts: { m1: { url: `${daemon.url}/below it` } } });
      await writeFile(join(source, 'pool/noise'), randomBytes(200_000));
      const first = await world.sync(set);
      assert.equal(first.outcome, 'committed', JSON.stringify(first));
      await world.publish('beta', '1');
      await writeFile(join(await world.plain(), 'pool/noise'), randomBytes(200_000));
      const second = await world.sync(set);
      assert.equal(second.outcome, 'committed', JSON.stringify(second));
      const root = join(daemon.root, 'below it/snapshots');
      const inode = async (name: string | null) =>
        (await stat(join(root, name ?? '', 'pool/main/a/alpha/alpha_1_all.deb'))).ino;
      assert.equal(await inode(first.snapshot), await inode(second.snapshot));
      assert.ok(!world.said.some((line) => /sent again/.test(line)), world.said.join('\n'));
    });
  }
}

test('H2: what a host has and is sent again is a warning', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const set = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const { snapshot } = await world.sync(set);
  // A host that does not keep times does not find again what it has.
  await utimes(join(world.local('m1'), 'snapshots', snapshot ?? '', 'pool/main/a/alpha/alpha_1_all.deb'), 1, 1);
  await world.publish('beta', '1');
  const second = await world.sync(set);
  assert.equal(second.outcome, 'committed', JSON.stringify(second));
  const warned = world.said.filter((line) => /^m1: 1 file .* sent again, the first pool/.test(line));
  assert.equal(warned.length, 1, world.said.join('\n'));
});

test('a copy that is gone over again keeps what came over it, also where size and time are those of the base', async (t) => {
  const world = await mirrorWorld(t);
  const source = world.local('plain');
  await mkdir(source);
  const write = async (name: string, text: string) => {
    await writeFile(join(source, name), text);
    await utimes(join(source, name), 1_000_000, 1_000_000);
  };
  await write('same', 'same');
  await write('other', 'one');
  const set = world.set({ source, hosts: { m1: { url: world.local('m1') } } });
  const { snapshot } = await world.sync(set);
  await utimes(join(world.local('m1'), 'snapshots', snapshot ?? '', 'same'), 1, 1);
  await write('other', 'two');
  const second = await world.sync(set);
  assert.equal(second.outcome, 'committed', JSON.stringify(second));
  assert.equal(await readFile(join(world.local('m1'), 'stable/other'), 'utf8'), 'two');
});

/** A repository with one package, all of whose files have one time; a list has its other name by a link. */
async function repositoryOf(world: World, name: string): Promise<string> {
  const [dir, plain] = [world.local(`repository-${name}`), world.local(`plain-${name}`)];
  const files = [await makePackage('deb', world.directory, { name, version: '1' })];
  await publishPackages(repositoryFormats.deb, { dir, files, settings: { codename: 'x' }, date: new Date(0) });
  await must('cp', ['-a', await realpath(dir), plain]);
  await must('find', [plain, '-type', 'f', '-exec', 'touch', '--date=@1000000', '{}', '+']);
  return plain;
}

for (const { version, program } of programs) {
  for (const layout of ['snapshots', 'pool'] as const) {
    test(`lists of one size and one second arrive under all their names by rsync ${version}, layout ${layout}`, async (t) => {
      const world = await mirrorWorld(t);
      const daemon = await world.daemon('m2', [], program);
      const hosts = { m1: { url: world.local('m1') }, m2: { url: daemon.url } };
      const sources = [await repositoryOf(world, 'alpha'), await repositoryOf(world, 'gamma')];
      const sizes = await Promise.all(sources.map(async (at) => (await stat(join(at, lists, 'Packages'))).size));
      assert.equal(sizes[0], sizes[1], 'else nothing can be mistaken');
      for (const source of sources) {
        const result = await world.sync(world.set({ source, layout, hosts }));
        assert.equal(result.outcome, 'committed', JSON.stringify(result));
        for (const [name, root] of [['m1', world.local('m1')] as const, ['m2', daemon.root] as const]) {
          assert.deepEqual(await contentOf(join(root, 'stable', lists)), await contentOf(join(source, lists)));
          const report = await readFile(join(root, `snapshots/${result.snapshot}.diff.txt`), 'utf8');
          assert.equal(report.match(/^[<>]f/gm)?.length, result.hosts[name]?.files, report);
        }
      }
    });
  }
}

for (const layout of ['snapshots', 'pool'] as const) {
  test(`what was damaged in place in a base is mended with a list, under all its names, layout ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m2');
    const source = await repositoryOf(world, 'alpha');
    await writeFile(join(source, 'note'), 'note');
    const set = world.set({ source, layout, hosts: { m1: { url: world.local('m1') }, m2: { url: daemon.url } } });
    assert.equal((await world.sync(set)).outcome, 'committed');
    const roots = [world.local('m1'), daemon.root];
    for (const root of roots) {
      const path = join(root, 'stable', lists, 'Packages.gz');
      const { size, nlink } = await stat(path);
      assert.equal(nlink, 2, 'else there is no other name to be mended');
      await writeFile(path, Buffer.alloc(size), { flag: 'r+' });
      await utimes(path, 1_000_000, 1_000_000);
      const note = join(root, 'stable/note');
      const { atime, mtime } = await stat(note);
      await writeFile(note, 'mote');
      await utimes(note, atime, mtime);
    }
    await writeFile(join(source, 'README'), 'new');
    const second = await world.sync(set);
    assert.equal(second.outcome, 'committed', JSON.stringify(second));
    for (const root of roots) {
      assert.deepEqual(await contentOf(join(root, 'stable', lists)), await contentOf(join(source, lists)));
      assert.equal(await readFile(join(root, 'stable/note'), 'utf8'), 'note', 'what else was damaged in it');
    }
  });
}

test('H3: a daemon that is busy for some seconds is waited for, within the timeout', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const daemon = await world.daemon('m1', ['max connections = 1']);
  const taken = connect(Number(new URL(daemon.url).port), '127.0.0.1');
  t.after(() => taken.destroy());
  await once(taken, 'data');
  taken.write('@RSYNCD: 31.0\nmirror\n');
  await once(taken, 'data');
  const set = world.set({ timeout: 30, hosts: { m1: { url: daemon.url } } });
  const going = world.sync(set);
  await sleep(4_000);
  taken.destroy();
  const result = await going;
  assert.equal(result.outcome, 'committed', JSON.stringify(result));
});

test('H3: a daemon that takes one connection is busy with our own for as long as that sends packages', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1', { '/usr/share/alpha/noise': randomBytes(600_000) });
  const daemon = await world.daemon('m1', ['max connections = 1']);
  const bin = world.local('bin');
  await mkdir(bin);
  const slow = 'case "$*" in *--files-from*deb-pool/) set -- --bwlimit=100 "$@" ;; *--stats*) sleep 1 ;; esac';
  await writeFile(join(bin, 'rsync'), `#!/bin/sh\n${slow}\nexec /usr/bin/rsync "$@"\n`, { mode: 0o755 });
  putAhead(t, bin);
  const result = await world.sync(world.set({ layout: 'pool', timeout: 3, hosts: { m1: { url: daemon.url } } }));
  assert.equal(result.outcome, 'committed', JSON.stringify(result));
});

test('H3: a daemon that stays busy is given up after the timeout, with its own words', async (t) => {
  const world = await mirrorWorld(t);
  await world.publish('alpha', '1');
  const daemon = await world.daemon('m1', ['max connections = -1']);
  const started = Date.now();
  const { outcome, hosts } = await world.sync(world.set({ timeout: 2, hosts: { m1: { url: daemon.url } } }));
  assert.deepEqual([outcome, hosts.m1?.error?.code], ['failed', 'rsync:5'], JSON.stringify(hosts));
  assert.match(hosts.m1?.error?.message ?? '', /max connections/);
  assert.ok(Date.now() - started < 60_000);
});
