import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { listFiles, sha256 } from '../../../activities/repository/files.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { currentTree, generationsOf } from '../../../activities/repository/generations.ts';
import { publishPackages, removePackages } from '../../../activities/repository/publish.ts';
import { makePackage, temporary } from './packages.ts';

const format = repositoryFormats.deb;
const settings = { codename: 'test', architectures: ['amd64'] };
const date = new Date('2026-11-27T12:00:00Z');

/** A repository with one package, and how it changes. */
async function repository(t: Parameters<typeof temporary>[0]) {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const make = (name: string, text = '') =>
    makePackage('deb', work, { name, version: '1', files: { [`/usr/share/${name}`]: text } });
  const publish = async (name: string, text?: string) => {
    const files = [await make(name, text)];
    assert.equal((await publishPackages(format, { dir, files, settings, date })).changed, true);
  };
  const remove = (name: string) => removePackages(format, { dir, remove: (one) => one.name === name, date });
  await publish('alpha');
  const path = (await format.list(dir))[0]?.path ?? '';
  return { dir, publish, remove, path };
}

test('what the index names no more stays for the states whose clients may ask for it, and goes then', async (t) => {
  const { dir, publish, remove, path } = await repository(t);
  await publish('beta');
  await remove('alpha');
  const served: boolean[] = [await exists(join(dir, path))];
  for (const name of ['a', 'b', 'c', 'd']) {
    await publish(name);
    served.push(await exists(join(dir, path)));
  }
  assert.deepEqual(served, [true, true, true, true, false]);
  assert.equal((await format.list(dir)).length, 5);
});

test('a package that comes back with other content changes no file of the states before', async (t) => {
  const { dir, publish, remove, path } = await repository(t);
  const before = (await currentTree(await generationsOf(dir))) ?? '';
  const digest = await sha256(join(before, path));
  await remove('alpha');
  await publish('beta');
  await publish('alpha', 'something else');
  assert.equal(await sha256(join(before, path)), digest);
  assert.notEqual(await sha256(join(dir, path)), digest);
  const [alpha] = (await format.list(dir)).filter(({ name }) => name === 'alpha');
  assert.equal(alpha?.sha256, await sha256(join(dir, path)));
});

test('a tree that is grown from the one before has the files of one that is filled anew', async (t) => {
  const { dir, publish, remove } = await repository(t);
  await publish('beta');
  await publish('gamma');
  await remove('beta');
  await publish('delta');
  const { home } = await generationsOf(dir);
  const note = JSON.parse(await readFile(join(home, 'stale.json'), 'utf8'));
  assert.equal(note.generation, basename((await currentTree(await generationsOf(dir))) ?? ''));
  const grown = await listFiles(join(dir, 'pool'));
  // With nothing known of the tree, the next one is filled from the lists; the same package makes no other state of it.
  await rm(join(home, 'stale.json'));
  await publish('omega');
  const filled = await listFiles(join(dir, 'pool'));
  assert.deepEqual(
    filled.filter((path) => !path.includes('omega')),
    grown,
  );
});
