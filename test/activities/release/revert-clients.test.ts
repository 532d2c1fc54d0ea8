import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../../../activities/process/run.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { all, carryOut, leave, planned, planWorld } from './plan.ts';
import { build, merged, releaseWorld } from './world.ts';

/** Releases by plans, one version after the other, for clients that read the repository. */
async function archive(t: TestContext, format: PackageFormat) {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  const release = async (version: string) => {
    const source = await merged(world, `${version}\n`);
    await leave(world, await build(world, { format, source, sample: { version } }), source, `git:${version}`);
    const made = await world.book.make('ada', all, version);
    assert.ok('id' in made);
    assert.equal((await carryOut(world, version)).ok, true);
  };
  const revert = async (version: string) => assert.equal((await carryOut(world, version, 'revert')).ok, true);
  return { directory: world.directory, dir: join(world.released, `${format}-stable`), release, revert };
}

test('APT ends on the older version after a revert, without a 404 in between, and on the next one later', async (t) => {
  const { directory, dir, release, revert } = await archive(t, 'deb');
  await release('1.0-1');
  const root = join(directory, 'apt');
  for (const one of ['etc/apt/preferences.d', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial', 'got']) {
    await mkdir(join(root, one), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  // `copy:` takes index and packages as from elsewhere: what is gone from the repository is missed.
  const source = `deb [arch=amd64 signed-by=${dir}/archive-key.asc] copy:${dir} bookworm main\n`;
  await writeFile(join(root, 'etc/apt/sources.list'), source);
  const settings = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Update::Error-Mode=any'];
  const options = [...settings, 'APT::Sandbox::User=root', 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
  const apt = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run('apt-get', [...options, ...args], { cwd: join(root, 'got') });
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stderr, /^[WE]:/m);
  };
  const downloaded = async () => {
    await apt('download', 'alpha');
    const found = await readdir(join(root, 'got'));
    for (const one of found) await rm(join(root, 'got', one));
    return found.map((one) => one.split('_')[1]);
  };
  await apt('update');
  assert.deepEqual(await downloaded(), ['1.0-1']);
  await release('1.1-1');
  await apt('update');
  assert.deepEqual(await downloaded(), ['1.1-1']);
  await revert('1.1-1');
  assert.deepEqual(await downloaded(), ['1.1-1'], 'what the index that it has names is still there');
  await apt('update');
  assert.deepEqual(await downloaded(), ['1.0-1']);
  await release('1.2-1');
  await apt('update');
  assert.deepEqual(await downloaded(), ['1.2-1']);
});

test('DNF ends on the older version after a revert, without a 404 in between, and on the next one later', async (t) => {
  const { directory, dir, release, revert } = await archive(t, 'rpm');
  await release('1.0-1');
  const repos = join(directory, 'repos');
  await mkdir(repos);
  const repo = [
    ...['[sluice]', 'name=sluice', `baseurl=file://${dir}`, 'gpgcheck=1', 'repo_gpgcheck=1'],
    ...['skip_if_unavailable=0', `gpgkey=file://${dir}/archive-key.asc`, ''],
  ];
  await writeFile(join(repos, 'sluice.repo'), repo.join('\n'));
  /** A system of its own; the index that it has counts for as long as nobody asks for a newer one. */
  const client = (name: string) => {
    const root = join(directory, name);
    const apart = [`--installroot=${root}`, '--releasever=1', `--setopt=reposdir=${repos}`];
    const cache = [`--setopt=cachedir=${directory}/cache-${name}`, '--setopt=metadata_expire=2d'];
    return async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await run('dnf', ['--assumeyes', ...apart, ...cache, ...args]);
      assert.equal(code, 0, stdout + stderr);
      const found = await run('rpm', ['--root', root, '-q', '--qf', '%{version}-%{release}', 'alpha']);
      return found.stdout;
    };
  };
  const [dnf, late] = [client('one'), client('late')];
  assert.equal(await dnf('install', 'alpha'), '1.0-1');
  await release('1.1-1');
  assert.equal(await dnf('--refresh', 'upgrade'), '1.1-1');
  await late('makecache');
  await revert('1.1-1');
  assert.equal(await late('install', 'alpha'), '1.1-1', 'what the index that it has names is still there');
  assert.equal(await dnf('--refresh', 'upgrade'), '1.1-1', 'what is installed stays');
  assert.equal(await dnf('distro-sync'), '1.0-1');
  await release('1.2-1');
  assert.equal(await dnf('--refresh', 'upgrade'), '1.2-1');
});
