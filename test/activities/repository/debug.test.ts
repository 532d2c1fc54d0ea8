import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages, removePackages } from '../../../activities/repository/publish.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');

const formats = {
  deb: {
    debug: 'alpha-dbgsym',
    requires: 'alpha (= 1.0-1)',
    own: { codename: 'bookworm' },
    lists: { main: 'dists/bookworm/main', debug: 'dists/bookworm/debug' },
    at: ['pool/main/a/alpha/alpha-dbgsym_1.0-1_all.deb', 'pool/debug/a/alpha/alpha-dbgsym_1.0-1_all.deb'],
  },
  rpm: {
    debug: 'alpha-debuginfo',
    requires: 'alpha = 1.0-1',
    own: {},
    lists: { main: 'repodata', debug: 'debug/repodata' },
    at: ['Packages/a/alpha-debuginfo-1.0-1.noarch.rpm', 'debug/Packages/a/alpha-debuginfo-1.0-1.noarch.rpm'],
  },
} as const;

/** A program and what debugs it, in a directory of their own. */
async function samples(t: Parameters<typeof temporary>[0], id: PackageFormat) {
  const work = await temporary(t);
  const { debug, requires } = formats[id];
  const program = await makePackage(id, work, { name: 'alpha', version: '1.0-1' });
  const symbols = await makePackage(id, work, { name: debug, version: '1.0-1', source: 'alpha', requires: [requires] });
  const beta = await makePackage(id, work, { name: 'beta', version: '1-1' });
  const settings = { ...formats[id].own, origin: 'Test' };
  return { work, dir: join(work, 'repo'), program, symbols, beta, settings };
}

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  const { debug, lists, at } = formats[id];
  const pathOf = async (dir: string) => (await format.list(dir)).find(({ name }) => name === debug)?.path;
  const problems = async (dir: string) => (await checkRepository(format, { tree: dir, others: [] })).problems;

  test(`${id}: debug packages have lists of their own where that is asked for, which stand on those of all others`, async (t) => {
    const { dir, program, symbols, beta, settings } = await samples(t, id);
    const first = { dir, files: [program], settings: { ...settings, debug: true }, date };
    await publishPackages(format, first);
    const index = [...(await format.vouched(dir))].map(({ path }) => path);
    assert.ok(
      index.some((path) => path.startsWith(lists.debug)),
      'clients that ask for them find a list, if an empty one',
    );
    await publishPackages(format, { dir, files: [symbols], settings, date });
    await publishPackages(format, { dir, files: [beta], settings, date });
    assert.equal(await pathOf(dir), at[1]);
    assert.deepEqual((await format.list(dir)).map(({ name }) => name).sort(), ['alpha', debug, 'beta']);
    assert.deepEqual(await problems(dir), []);
    await removePackages(format, { dir, remove: ({ name }) => name === 'alpha', date });
    assert.match(JSON.stringify(await problems(dir)), new RegExp(`"installability","subject":"${debug}`));
    await removePackages(format, { dir, remove: ({ name }) => name === debug, date });
    assert.deepEqual(
      (await format.list(dir)).map(({ name }) => name),
      ['beta'],
    );
    assert.ok(await exists(join(dir, at[1])), 'for clients that have read an older index');
  });

  test(`${id}: debug packages move with the next publication, and an older index is served as before`, async (t) => {
    const { work, dir, program, symbols, beta, settings } = await samples(t, id);
    await publishPackages(format, { dir, files: [program, symbols], settings, date });
    assert.equal(await pathOf(dir), at[0]);
    const older = await format.served(dir);
    const apart = { ...settings, debug: true };
    const turned = await publishPackages(format, { dir, files: [beta], settings: apart, date });
    assert.deepEqual(
      [turned.added.map(({ name }) => name), turned.removed, turned.packages, turned.notes],
      [['beta'], [], 3, ['moved 1 debug package to lists of their own']],
    );
    assert.equal(await pathOf(dir), at[1]);
    for (const path of [...older, at[0]]) assert.ok(await exists(join(dir, path)), path);
    assert.equal((await publishPackages(format, { dir, files: [symbols], settings: apart, date })).changed, false);
    const afresh = join(work, 'afresh');
    await publishPackages(format, { dir: afresh, files: [program, symbols, beta], settings: apart, date });
    for (const { root } of format.signedRoots(await format.settings(dir))) {
      const texts = [dir, afresh].map((tree) => readFile(join(tree, root), 'utf8'));
      const [moved, made] = await Promise.all(texts);
      assert.equal(moved, made, `${root} does not tell how it came to be`);
    }
    const apartServed = await format.served(dir);
    const back = await publishPackages(format, { dir, files: [], settings: { debug: false }, date });
    assert.deepEqual(back.notes, ['moved 1 debug package to the lists of all others']);
    for (const path of [...apartServed, at[1]]) assert.ok(await exists(join(dir, path)), path);
    await removePackages(format, { dir, remove: ({ name }) => name === 'beta', date });
    for (const path of [...apartServed, at[1]]) assert.ok(await exists(join(dir, path)), `${path}, a state later`);
    assert.equal(await pathOf(dir), at[0]);
    assert.deepEqual(await problems(dir), []);
    assert.deepEqual(await format.settings(dir), { ...(await format.settings(afresh)), debug: false });
  });

  test(`${id}: of a repository with one list a path says nothing, wherever its packages stand`, async (t) => {
    const { work, dir, symbols, beta, settings } = await samples(t, id);
    const tree = join(work, '.repo.generations/000001');
    const place = join(tree, at[1]);
    await mkdir(dirname(place), { recursive: true });
    await copyFile(symbols, place);
    const [description] = await format.describe([symbols]);
    const one = { codename: '', ...settings, architectures: id === 'deb' ? ['amd64'] : [], debug: false };
    const added = [format.placed(description?.texts ?? [], at[1])];
    await format.index(tree, one, { date, lists: null, added, gone: new Set(), extras: [] });
    await symlink('.repo.generations/000001', dir);
    assert.match(JSON.stringify(await problems(dir)), new RegExp(`"installability","subject":"${debug}`));
    await publishPackages(format, { dir, files: [beta], settings: {}, date });
    const remove = (name: string) => removePackages(format, { dir, remove: (some) => some.name === name, date });
    assert.equal((await remove('beta')).packages, 1);
    assert.equal(await pathOf(dir), at[1]);
    assert.equal((await remove(debug)).packages, 0);
    assert.deepEqual([await format.list(dir), await problems(dir)], [[], []]);
  });

  test(`${id}: debug packages of a base go where the repository has its own`, async (t) => {
    const { work, dir, program, symbols, settings } = await samples(t, id);
    const base = join(work, 'base');
    await publishPackages(format, { dir: base, files: [program, symbols], settings, date });
    await publishPackages(format, { dir, files: [], settings: { ...settings, debug: true }, base, date });
    assert.equal(await pathOf(dir), at[1]);
    assert.deepEqual(await problems(dir), []);
    await publishPackages(format, { dir: join(work, 'copy'), files: [], settings, base: dir, date });
    assert.equal(await pathOf(join(work, 'copy')), at[1], 'a copy is as the repository that it is of');
  });
}
