import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../../activities/files/digest.ts';
import type { MirrorSet } from '../../../activities/mirror/types.ts';
import { run } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { parseRelease } from '../../../pipelines/formats/deb/release.ts';
import { makePackage } from '../repository/packages.ts';
import { mirrorWorld, type World } from './world.ts';

const flips = 4;

/** Publishes and synchronises a few times, and until there were a few reads, while `read` is called again and again. */
async function readWhileFlipping(
  world: World,
  set: MirrorSet,
  { publish, read }: { readonly publish: (nth: number) => Promise<unknown>; readonly read: () => Promise<void> },
): Promise<void> {
  await publish(0);
  assert.equal((await world.sync(set)).outcome, 'committed');
  let going = true;
  let reads = 0;
  const readers = (async () => {
    for (; going; reads += 1) {
      await read();
      await sleep(1);
    }
  })().finally(() => {
    going = false;
  });
  try {
    for (let nth = 1; nth <= flips || (going && reads <= flips / 2); nth += 1) {
      await publish(nth);
      const result = await world.sync(set);
      assert.equal(result.outcome, 'committed', JSON.stringify(result));
    }
  } finally {
    going = false;
  }
  await readers;
}

for (const layout of ['snapshots', 'pool'] as const) {
  test(`a reader finds whole indexes, and later what they name, whatever is flipped meanwhile: ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    const daemon = await world.daemon('m1');
    const set = world.set({ layout, hosts: { m1: { url: daemon.url } } });
    const dist = join(daemon.root, 'stable/dists/bookworm');
    const read = async () => {
      const { files } = parseRelease(await readFile(join(dist, 'Release'), 'utf8'));
      assert.ok(files.length > 0);
      await sleep(300);
      for (const file of files) {
        const path = join(dist, dirname(file.path), 'by-hash/SHA256', file.sha256);
        assert.equal(await sha256(path), file.sha256, file.path);
      }
    };
    await readWhileFlipping(world, set, { publish: (nth) => world.publish(`alpha${nth}`, '1'), read });
  });

  test(`apt-get update finds nothing wrong, whatever is flipped meanwhile: ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    const set = world.set({ layout, hosts: { m1: { url: world.local('m1') } } });
    const root = world.local('apt');
    for (const directory of ['etc/apt', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) {
      await mkdir(join(root, directory), { recursive: true });
    }
    await writeFile(join(root, 'status'), '');
    const line = `deb [trusted=yes arch=amd64] file:${world.local('m1')}/stable bookworm main\n`;
    await writeFile(join(root, 'etc/apt/sources.list'), line);
    const settings = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Update::Error-Mode=any'];
    const options = [...settings, 'APT::Sandbox::User=root', 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
    const read = async () => {
      const { code, stdout, stderr } = await run('apt-get', [...options, 'update']);
      assert.equal(code, 0, stdout + stderr);
      assert.doesNotMatch(stderr, /^[WE]:/m);
    };
    await readWhileFlipping(world, set, { publish: (nth) => world.publish(`alpha${nth}`, '1'), read });
  });

  test(`dnf makecache finds nothing wrong, whatever is flipped meanwhile: ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    const set = world.set({ layout, hosts: { m1: { url: world.local('m1') } } });
    const publish = async (nth: number) => {
      const file = await makePackage('rpm', world.directory, { name: `alpha${nth}`, version: '1' });
      const request = { dir: world.source, files: [file], settings: {}, date: new Date() };
      await publishPackages(repositoryFormats.rpm, request);
    };
    const apart = [`--installroot=${world.local('root')}`, '--releasever=1', '--setopt=reposdir=/nonexistent'];
    const cache = [`--setopt=cachedir=${world.local('cache')}`, '--refresh'];
    const from = `--repofrompath=mirror,file://${world.local('m1')}/stable`;
    const read = async () => {
      const { code, stderr } = await run('dnf', ['--quiet', ...apart, ...cache, from, 'makecache']);
      assert.equal(code, 0, stderr);
    };
    await readWhileFlipping(world, set, { publish, read });
  });
}
