import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testRepositories } from '../../activities/install/repositories.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { findClashes } from '../../activities/repocheck/clashes.ts';
import { type Listed, readLists } from '../../activities/repocheck/lists.ts';
import { lookAt } from '../../activities/repocheck/look.ts';
import { repositoryFormats } from '../../activities/repository/formats.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { releasePackages, type StageWorld, stageContext, stageInput, stageWorld, storeBuild } from './install/stage.ts';
import { makePackage, type Sample, temporary } from './repository/packages.ts';

const signal = new AbortController().signal;

/** A signed test repository of packages, as the publish stage makes it. */
async function published(t: TestContext, format: PackageFormat, world: StageWorld, samples: readonly Sample[]) {
  const files = await Promise.all(samples.map((sample) => makePackage(format, world.directory, sample)));
  const parents = [await storeBuild(world, format, files)];
  const { artifacts } = await createPublishStage(world)(stageInput(format, { parents }), await stageContext(t));
  const [found] = testRepositories(artifacts);
  assert.ok(found !== undefined);
  return found.repository;
}

const listOf: Readonly<Record<PackageFormat, RegExp>> = { deb: /Packages(\.gz)?$/, rpm: /primary\.xml\.gz$/ };

for (const format of ['deb', 'rpm'] as const) {
  const label = format === 'deb' ? 'debian-12' : 'rpm-debian-12';

  test(`${format}: lists are read as a client reads them: by signature and hashes`, async (t) => {
    const world = await stageWorld(t);
    const repository = await published(t, format, world, [{ name: 'alpha', version: '1.0-1' }]);
    const at = { platform: world.platform(label), workdir: await temporary(t) };
    const found = await readLists(at, repository);
    assert.deepEqual(
      found.map(({ name, version, file }) => [name, version, file.path.includes('alpha'), file.sha256.length]),
      [['alpha', '1.0-1', true, 64]],
    );
    assert.equal(found[0]?.paths?.includes('/usr/share/alpha/data') ?? null, format === 'deb' ? null : true);
    const key = await (await stageWorld(t)).signer().then((other) => other.publicKey());
    await assert.rejects(readLists(at, { ...repository, key }), /cannot be read/);
    const tree = join(world.root, repository.url.split('/').at(-1) ?? '');
    const lists = (await readdir(tree, { recursive: true })).filter((path) => listOf[format].test(path));
    const hashed = (await readdir(tree, { recursive: true })).filter((path) => /SHA256\/[0-9a-f]{64}$/.test(path));
    for (const path of [...lists, ...hashed]) await appendFile(join(tree, path), '\n');
    await assert.rejects(readLists(at, repository), /cannot be read/);
  });

  test(`${format}: files are compared with those of what stays, and a file that is another one is refused`, async (t) => {
    const world = await stageWorld(t);
    const at = { platform: world.platform(label), workdir: await temporary(t) };
    const released = await readLists(
      at,
      await releasePackages(world, format, [
        { name: 'alpha', version: '1.0-1', files: { '/usr/bin/alpha': 'one\n' } },
        { name: 'taken', version: '1.0-1', files: { '/usr/bin/alpha': 'other\n' } },
        { name: 'apart', version: '1.0-1' },
      ]),
    );
    const own = await readLists(
      at,
      await published(t, format, world, [
        { name: 'alpha', version: '2.0-1', files: { '/usr/bin/alpha': 'two\n', '/usr/bin/beta': 'two\n' } },
        { name: 'beta', version: '1.0-1', files: { '/usr/bin/beta': 'one\n' } },
      ]),
    );
    const look = lookAt({ ...at, own, provided: [], released, builds: [] });
    const compare = (staying: readonly Listed[]) =>
      findClashes({ ...look, staying, format: repositoryFormats[format], leaning: new Set(), ...at, signal });
    const { clashes, unread } = await compare(look.staying);
    // Which of two is named first is of no account.
    const told = clashes.map(({ problem }) =>
      problem.replace(/^(.+) and (.+) (both .*)$/, (_, ...[a, b, both]) => [...[a, b].toSorted(), both].join(' ')),
    );
    assert.deepEqual(told.toSorted(), [
      'alpha 2.0-1 beta 1.0-1 both bring /usr/bin/beta',
      'alpha 2.0-1 taken 1.0-1 both bring /usr/bin/alpha',
    ]);
    assert.equal(unread, 0);

    const large = look.staying.map((one) => ({ ...one, paths: null, file: { ...one.file, size: 2 ** 30 } }));
    assert.deepEqual((await compare(large)).unread, 2, 'nobody fetches gigabytes');

    const taken = look.staying.filter(({ name }) => name === 'taken');
    const [path = ''] = taken.map(({ file }) => join(world.root, 'old', file.path));
    await writeFile(path, 'something else');
    await assert.rejects(compare(taken), /taken\S* is not the file that the repository's list names$/);
  });
}

const exactly = { deb: (name: string) => `${name} (= 1.0-1)`, rpm: (name: string) => `${name} = 1.0-1` };

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: what a source makes no more leaves unless others need it, and those are asked`, async (t) => {
    const world = await stageWorld(t);
    const at = {
      platform: world.platform(format === 'deb' ? 'debian-12' : 'rpm-debian-12'),
      workdir: await temporary(t),
    };
    const arch = format === 'deb' ? 'all' : 'noarch';
    const hidden = '/usr/share/beta-hidden/data';
    const released = await readLists(
      at,
      await releasePackages(world, format, [
        { name: 'beta', version: '1.0-1' },
        { name: 'beta-plugin', version: '1.0-1', source: 'beta', requires: [exactly[format]('beta')] },
        { name: 'beta-unused', version: '1.0-1', source: 'beta' },
        { name: 'beta-hidden', version: '1.0-1', source: 'beta', files: { [hidden]: 'found\n' } },
        { name: 'plugged', version: '1.0-1', requires: ['beta-plugin'] },
        // RPM alone needs paths, and lists name this one among the files only.
        { name: 'by-path', version: '1.0-1', requires: [format === 'rpm' ? hidden : 'beta-hidden'] },
        { name: 'apart', version: '1.0-1', requires: ['plugged'] },
      ]),
    );
    const own = await readLists(at, await published(t, format, world, [{ name: 'beta', version: '2.0-1' }]));
    const source = { name: 'beta', version: '2.0-1' };
    const build = { source, packages: [{ ...source, arch }], architectures: new Set([arch]) };
    const named = (some: readonly { readonly name: string }[]) => some.map(({ name }) => name).toSorted();
    const look = lookAt({ ...at, own, provided: [], released, builds: [build] });
    assert.deepEqual(named(look.leaning), ['by-path', 'plugged']);
    assert.deepEqual(named(look.leaving), ['beta', 'beta-unused']);
    assert.deepEqual(named(look.staying), ['apart', 'beta-hidden', 'beta-plugin', 'by-path', 'plugged']);

    const whole = lookAt({ ...at, own, provided: [], released, builds: [] });
    assert.deepEqual(
      [named(whole.leaning), named(whole.leaving)],
      [[], ['beta']],
      'a build that says nothing takes nothing',
    );
  });
}
