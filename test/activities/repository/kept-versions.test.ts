import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { exists } from '../../../activities/files/exists.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { judgeVersions, type VersionPolicy } from '../../../activities/repository/judge.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { makePackage, makeSource, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  const settings = { codename: id === 'deb' ? 'bookworm' : '', origin: 'Test' };
  const publish = (dir: string, files: readonly string[], policy: VersionPolicy) =>
    publishPackages(format, { dir, files, settings, date, keepFormer: 0, judge: judgeVersions(id, policy) });
  const listed = async (dir: string) =>
    (await format.list(dir)).map(({ name, version }) => `${name} ${version}`).sort();

  describe(`versions that stay in a ${id} repository`, () => {
    test('the newest by the rules of the format, and what clients of older indexes know is served', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const versions = ['1.0~rc1-1', '1.0-1', '1.9-1', '1.10-1'];
      const files = await Promise.all(versions.map((version) => makePackage(id, work, { name: 'alpha', version })));
      const beta = await makePackage(id, work, { name: 'beta', version: '1-1' });
      const [candidate = '', ...later] = files;
      await publish(dir, [candidate, beta], { keep: 2 });
      const paths = (await format.list(dir)).map(({ path }) => path);
      for (const file of later) await publish(dir, [file], { keep: 2 });
      assert.deepEqual(await listed(dir), ['alpha 1.10-1', 'alpha 1.9-1', 'beta 1-1']);
      for (const path of paths) assert.ok(await exists(join(dir, path)), path);
      assert.deepEqual((await checkRepository(format, { tree: dir, others: [] })).problems, []);
      const next = await makePackage(id, work, { name: 'beta', version: '2-1' });
      for (const version of ['2-1', '3-1', '4-1', '5-1']) {
        const file = version === '2-1' ? next : await makePackage(id, work, { name: 'beta', version });
        await publish(dir, [file], { keep: 1 });
      }
      // No index names it that a client may have, so that the file is gone, too.
      assert.deepEqual(await listed(dir), ['alpha 1.10-1', 'alpha 1.9-1', 'beta 5-1']);
      const candidates = paths.filter((path) => path.includes('alpha'));
      for (const path of candidates) assert.equal(await exists(join(dir, path)), false, path);
    });

    test('what is there too often is named, and what was given and is older is left out', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const versions = ['3-1', '1-1', '2-1'];
      const files = await Promise.all(versions.map((version) => makePackage(id, work, { name: 'alpha', version })));
      const first = await publish(dir, files, { keep: 2 });
      assert.deepEqual(await listed(dir), ['alpha 2-1', 'alpha 3-1']);
      assert.equal(first.packages, 2);
      const trimmed = await publish(dir, [], { keep: 1 });
      const removed = trimmed.removed.map(({ name, version }) => `${name} ${version}`);
      assert.deepEqual([trimmed.changed, removed, trimmed.packages], [true, ['alpha 2-1'], 1]);
      assert.equal((await publish(dir, [], { keep: 1 })).changed, false);
      const base = join(work, 'base');
      await publish(base, files, {});
      const request = { dir, base, files: [], settings, date, judge: judgeVersions(id, { keep: 1 }) };
      assert.equal((await publishPackages(format, request)).changed, false);
    });

    test('an older version than what is there is refused unless it is asked for', async (t) => {
      const work = await temporary(t);
      const dir = join(work, 'repo');
      const [old = '', fresh = ''] = await Promise.all(
        ['1:1-1', '2:0.5-1'].map((version) => makePackage(id, work, { name: 'alpha', version })),
      );
      await publish(dir, [fresh], {});
      const refused = /^alpha 1:1-1 \(\w+\) is older than 2:0\.5-1, which is there: add it with --allow-downgrade$/;
      await assert.rejects(publish(dir, [old], {}), { message: refused });
      await publish(dir, [old], { downgrade: true });
      assert.deepEqual(await listed(dir), ['alpha 1:1-1', 'alpha 2:0.5-1']);
      assert.equal((await publish(dir, [old], {})).changed, false);
    });
  });
}

test('a tarball stays while a version of its source has it', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const deb = repositoryFormats.deb;
  for (const revision of ['1', '2', '3', '4', '5', '6']) {
    const source = await makeSource(join(work, revision), revision, 'shared by all');
    const judge = judgeVersions('deb', { keep: 1 });
    await publishPackages(deb, { dir, files: [source], settings: { codename: 'x' }, date, keepFormer: 0, judge });
  }
  assert.deepEqual(
    (await deb.list(dir)).map(({ version }) => version),
    ['1.0-6'],
  );
  assert.ok(await exists(join(dir, 'pool/main/f/foo/foo_1.0.orig.tar.gz')));
  assert.equal(await exists(join(dir, 'pool/main/f/foo/foo_1.0-1.dsc')), false);
  assert.deepEqual((await checkRepository(deb, { tree: dir, others: [] })).problems, []);
});
