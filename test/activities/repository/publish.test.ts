import assert from 'node:assert/strict';
import { mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages, removePackages, showStaged, stageTree } from '../../../activities/repository/publish.ts';
import { markReleased } from '../../../activities/repository/released.ts';
import { makePackage, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  const settings = { codename: id === 'deb' ? 'bookworm' : '', origin: 'Test' };
  const versions = async (dir: string, name: string) =>
    (await format.list(dir)).filter((one) => one.name === name).map((one) => one.version);

  describe(`${id} repository`, () => {
    test('holds what was published, and says so when nothing is new', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const file = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      const first = await publishPackages(format, { dir, files: [file], settings, date });
      assert.deepEqual([first.changed, first.added.map((one) => one.name)], [true, ['alpha']]);
      assert.deepEqual(await versions(dir, 'alpha'), ['1.0-1']);
      assert.deepEqual((await checkRepository(format, { tree: dir, others: [] })).problems, []);
      const shown = await readlink(dir);
      assert.equal((await publishPackages(format, { dir, files: [file], settings, date })).changed, false);
      assert.equal(await readlink(dir), shown);
    });

    test('refuses other content under a name and version that it has', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const file = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      await mkdir(join(work, 'other'));
      const files = { '/usr/share/alpha/data': 'something else' };
      const other = await makePackage(id, join(work, 'other'), { name: 'alpha', version: '1.0-1', files });
      await publishPackages(format, { dir, files: [file], settings, date });
      await assert.rejects(publishPackages(format, { dir, files: [other], settings, date }), /give it a new version/);
      await assert.rejects(
        publishPackages(format, { dir: join(work, 'new'), files: [file, other], settings, date }),
        /alpha 1\.0-1/,
      );
    });

    test('still serves a client that has read the index before', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const one = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      const two = await makePackage(id, work, { name: 'beta', version: '1:2.0-1' });
      await publishPackages(format, { dir, files: [one], settings, date });
      const wanted = await format.served(dir);
      await publishPackages(format, { dir, files: [two], settings, date });
      await removePackages(format, { dir, remove: ({ name }) => name === 'alpha', date });
      assert.deepEqual(await versions(dir, 'alpha'), []);
      assert.deepEqual(await versions(dir, 'beta'), ['1:2.0-1']);
      for (const path of wanted) assert.ok(await exists(join(dir, path)), path);
    });

    test('starts from a base', async (t) => {
      const work = await temporary(t);
      const one = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      const two = await makePackage(id, work, { name: 'beta', version: '2.0-1' });
      await publishPackages(format, { dir: join(work, 'base'), files: [one], settings, date });
      const dir = join(work, 'repo');
      await publishPackages(format, { dir, files: [two], settings: {}, base: join(work, 'base'), date });
      assert.deepEqual((await format.list(dir)).map((p) => p.name).sort(), ['alpha', 'beta']);
      assert.deepEqual(await versions(join(work, 'base'), 'beta'), []);
    });

    test('names what cannot be installed, and what helps', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const needy = await makePackage(id, work, { name: 'needy', version: '1-1', requires: ['alpha'] });
      const alpha = await makePackage(id, work, { name: 'alpha', version: '1-1' });
      await publishPackages(format, { dir, files: [needy], settings, date });
      await publishPackages(format, { dir: join(work, 'helps'), files: [alpha], settings, date });
      const problems = (await checkRepository(format, { tree: dir, others: [] })).problems;
      assert.deepEqual(
        problems.map((one) => one.kind),
        ['installability'],
      );
      assert.match(`${problems[0]?.subject}: ${problems[0]?.message}`, /needy.*alpha/);
      assert.deepEqual((await checkRepository(format, { tree: dir, others: [join(work, 'helps')] })).problems, []);
    });

    test('finds packages that bring the same file, and damaged ones', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const make = (name: string) =>
        makePackage(id, work, { name, version: '1-1', files: { '/usr/bin/tool': `#!/bin/sh\necho ${name}\n` } });
      await publishPackages(format, { dir, files: [await make('left'), await make('right')], settings, date });
      const problems = (await checkRepository(format, { tree: dir, others: [] })).problems;
      assert.deepEqual(
        problems.map(({ kind, message }) => [kind, message]),
        [['conflict', 'both bring /usr/bin/tool']],
      );
      const listed = (await format.list(dir))[0];
      await writeFile(join(dir, listed?.path ?? ''), 'broken');
      assert.deepEqual(
        (await checkRepository(format, { tree: dir, others: [] })).problems.map((one) => one.kind),
        ['hash'],
      );
    });

    test('does not show a staged tree when another publication came between', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const one = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      const two = await makePackage(id, work, { name: 'beta', version: '2.0-1' });
      const staged = await stageTree(format, { dir, files: [one], settings, date, name: 'staged-1' });
      await publishPackages(format, { dir, files: [two], settings, date });
      assert.ok(staged);
      assert.equal(await showStaged(staged), false);
      const again = await stageTree(format, { dir, files: [one], settings, date, name: 'staged-1' });
      assert.ok(again);
      assert.equal(await showStaged(again), true);
      assert.equal((await format.list(dir)).length, 2);
    });

    test('shows readers the old or the new state whole, whatever writers do', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const files = await Promise.all(
        [1, 2, 3, 4].map((n) => makePackage(id, work, { name: `p${n}`, version: `${n}-1` })),
      );
      await publishPackages(format, { dir, files: files.slice(0, 1), settings, date });
      let done = false;
      const writers = Promise.all(
        files.slice(1).map((file) => publishPackages(format, { dir, files: [file], settings, date })),
      ).finally(() => {
        done = true;
      });
      let reads = 0;
      while (!done) {
        const [{ root: index }] = format.signedRoots({ ...settings, architectures: [], debug: false });
        const root = await readFile(join(dir, index), 'utf8');
        assert.ok(root.length > 0);
        for (const path of await format.served(dir)) assert.ok(await exists(join(dir, path)), path);
        reads += 1;
      }
      await writers;
      assert.ok(reads > 0);
      assert.equal((await format.list(dir)).length, 4);
    });

    test('leaves a directory alone that it did not make', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      await mkdir(dir);
      await writeFile(join(dir, 'precious'), 'mine');
      const file = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
      await assert.rejects(publishPackages(format, { dir, files: [file], settings, date }), /plain directory/);
      assert.equal(await readFile(join(dir, 'precious'), 'utf8'), 'mine');
    });
  });
}

test('S1: nothing is published by hand among the released repositories of an installation', async (t) => {
  const directory = await temporary(t);
  const released = join(directory, 'released');
  await markReleased(released, join(directory, 'key.asc'));
  await symlink(released, join(directory, 'elsewhere'));
  const file = await makePackage('deb', directory, { name: 'alpha', version: '1.0' });
  for (const dir of [join(released, 'deb'), join(released, 'deb/deeper'), join(directory, 'elsewhere/deb')]) {
    const settings = { codename: 'bookworm' };
    const publishing = publishPackages(repositoryFormats.deb, { dir, files: [file], settings, date: new Date() });
    await assert.rejects(publishing, /is a released repository of an installation: merge a change/);
    const removing = removePackages(repositoryFormats.deb, { dir, remove: () => true, date: new Date() });
    await assert.rejects(removing, /is a released repository of an installation/);
  }
});
