import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../../activities/files/digest.ts';
import { exists } from '../../../activities/files/exists.ts';
import { moveLink } from '../../../activities/files/write.ts';
import { listFiles } from '../../../activities/repository/files.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { currentTree, generationsOf, newTree, recentTrees } from '../../../activities/repository/generations.ts';
import { publishPackages, removePackages, showStaged, stageTree } from '../../../activities/repository/publish.ts';
import { readStanding, takePool } from '../../../activities/repository/standing.ts';
import { makePackage, temporary } from './packages.ts';

const format = repositoryFormats.deb;
const settings = { codename: 'test', architectures: ['amd64'] };
const date = new Date('2026-11-27T12:00:00Z');

/** A repository with one package, and how it changes; only the last states are kept for clients. */
async function repository(t: Parameters<typeof temporary>[0]) {
  const keepFormer = 0;
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const make = (name: string, text = '') =>
    makePackage('deb', work, { name, version: '1', files: { [`/usr/share/${name}`]: text } });
  const publish = async (name: string, text?: string) => {
    const files = [await make(name, text)];
    assert.equal((await publishPackages(format, { dir, files, settings, date, keepFormer })).changed, true);
  };
  const remove = (name: string) =>
    removePackages(format, { dir, remove: (one) => one.name === name, date, keepFormer });
  await publish('alpha');
  const path = (await format.list(dir))[0]?.path ?? '';
  return { dir, make, publish, remove, path };
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

/** Files of the pool, by their inodes. */
async function inodes(tree: string): Promise<ReadonlyMap<string, number>> {
  const files = await listFiles(join(tree, 'pool'));
  return new Map(
    await Promise.all(files.map(async (path) => [path, (await stat(join(tree, 'pool', path))).ino] as const)),
  );
}

/** Packages that the indexes of the standing trees name. */
async function named(dir: string): Promise<readonly string[]> {
  const trees = await recentTrees(await generationsOf(dir));
  const paths = (await Promise.all(trees.map((tree) => format.list(tree)))).flat().map(({ path }) => path);
  return paths.map((path) => path.slice('pool/'.length));
}

/** Changes a repository; what its packages' directory must hold then is what is named now, or was right before. */
async function changed(dir: string, change: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await named(dir);
  await change();
  return [...new Set([...before, ...(await named(dir))])].sort();
}

test('a tree that is made of one which nobody needs any more holds what the last states name, and no more', async (t) => {
  const { dir, publish, remove } = await repository(t);
  const { home } = await generationsOf(dir);
  const steps = ['beta', 'gamma', '-beta', 'delta', '-gamma', 'omega', 'beta', '-alpha', '-beta', 'beta', 'alpha'];
  let before = await inodes(dir);
  const taken: number[] = [];
  for (const [position, name] of steps.entries()) {
    const spare = (await readdir(home)).find((one) => one.startsWith('spare-'));
    const old = spare === undefined ? null : (await stat(join(home, spare, 'pool'))).ino;
    const wanted = await changed(dir, () =>
      name.startsWith('-') ? remove(name.slice(1)) : publish(name, `as of ${position}`),
    );
    if ((await stat(join(dir, 'pool'))).ino === old) taken.push(position);
    const after = await inodes(dir);
    assert.deepEqual([...after.keys()], wanted, name);
    const kept = [...after].filter(([path]) => !path.includes(name.replace('-', '')));
    for (const [path, inode] of kept) assert.equal(inode, before.get(path), path);
    for (const { path, sha256: digest } of await format.list(dir)) assert.equal(await sha256(join(dir, path)), digest);
    before = after;
  }
  assert.deepEqual(taken, [4, 5, 6, 7, 8, 9, 10]);
});

test('a tree that was left half made of another one is made again', async (t) => {
  const { dir, publish } = await repository(t);
  const { home } = await generationsOf(dir);
  for (const name of ['beta', 'gamma', 'delta', 'omega']) await publish(name);
  // As a process leaves it that is killed right after it took the packages' directory.
  await rm(join(home, 'spare-000001', 'pool'), { recursive: true });
  const withSigma = await changed(dir, () => publish('sigma'));
  assert.deepEqual([...(await inodes(dir)).keys()], withSigma);
  assert.ok((await readdir(home)).includes('spare-000002'));
  // Nothing is known of what happened since: the older tree is of no use.
  const note = JSON.parse(await readFile(join(home, 'stale.json'), 'utf8'));
  assert.deepEqual(
    note.steps.map(([name]: [string]) => name),
    ['000002', '000003', '000004', '000005', '000006'],
  );
  await writeFile(join(home, 'stale.json'), JSON.stringify({ ...note, steps: note.steps.slice(2) }));
  await rm(join(home, 'spare-000002', 'pool'), { recursive: true });
  await mkdir(join(home, 'spare-000002', 'pool/wrong'), { recursive: true });
  const withTau = await changed(dir, () => publish('tau'));
  assert.deepEqual([...(await inodes(dir)).keys()], withTau);
});

test('of a tree with two directories of packages both are taken, or none', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const { rpm } = repositoryFormats;
  const make = (name: string) => makePackage('rpm', work, { name, version: '1' });
  const publish = (files: readonly string[]) =>
    publishPackages(rpm, { dir, files, settings: { debug: true }, date, keepFormer: 0 });
  const beta = await make('beta');
  await publish([await make('alpha'), await make('alpha-debuginfo')]);
  for (const _ of ['once', 'twice']) {
    await publish([beta]);
    await removePackages(rpm, { dir, remove: ({ name }) => name === 'beta', date, keepFormer: 0 });
  }
  const generations = await generationsOf(dir);
  assert.ok((await readdir(generations.home)).includes('spare-000001'));
  const before = (await currentTree(generations)) ?? '';
  const steps = (await readStanding(generations, before))?.steps ?? assert.fail('nothing is known of it');
  // The second one cannot be moved there: as who is killed after the first leaves it.
  const tree = await newTree(generations);
  await writeFile(join(tree, 'debug'), '');
  await assert.rejects(takePool(generations, tree, { before, steps, pools: rpm.pools }), /EEXIST|ENOTDIR/);
  await publish([beta]);
  const listed = await rpm.list(dir);
  assert.deepEqual(listed.map(({ name }) => name).sort(), ['alpha', 'alpha-debuginfo', 'beta']);
  for (const { path, sha256: digest } of listed) assert.equal(await sha256(join(dir, path)), digest, path);
  assert.ok(!(await readdir(generations.home)).some((name) => name.startsWith('going-')));
});

test("a tree that is staged and shown later grows as well, and one that is never shown is in nobody's way", async (t) => {
  const { dir, make } = await repository(t);
  const { home } = await generationsOf(dir);
  const stage = async (name: string) => {
    const staged = await stageTree(format, { dir, files: [await make(name)], settings, date, name: `staged-${name}` });
    return staged ?? assert.fail(name);
  };
  const taken: boolean[] = [];
  for (const name of ['beta', 'gamma', 'delta', 'omega', 'sigma', 'tau']) {
    const spare = (await readdir(home)).find((one) => one.startsWith('spare-'));
    const old = spare === undefined ? null : (await stat(join(home, spare, 'pool'))).ino;
    const staged = await stage(name);
    if (name === 'sigma') await stage('other');
    // Asked again, as by Temporal, it knows what it knew.
    if (name === 'sigma')
      await assert.rejects(
        showStaged(staged, () => Promise.reject(new Error('no answer'))),
        /no answer/,
      );
    await changed(dir, async () => assert.equal(await showStaged(staged), true));
    taken.push((await stat(join(dir, 'pool'))).ino === old);
    assert.deepEqual((await readdir(dir)).sort(), ['dists', 'pool']);
    for (const { path, sha256: digest } of await format.list(dir)) assert.equal(await sha256(join(dir, path)), digest);
  }
  assert.deepEqual(taken, [false, false, false, false, true, true]);
  assert.deepEqual((await readdir(home)).sort(), [
    '000004',
    '000005',
    '000006',
    '000007',
    'lock',
    'spare-000003',
    'stale.json',
  ]);
});

test('a tree that a killed writer has numbered and not shown goes, and the next one has its number', async (t) => {
  const { dir, make, publish } = await repository(t);
  const { home } = await generationsOf(dir);
  const numbers = async () => (await readdir(home)).filter((name) => /^\d+$/.test(name));
  // The first of all, and one after another.
  await rm(dir);
  await rename(join(home, 'stale.json'), join(home, 'stale-next.json'));
  await publish('beta');
  assert.deepEqual([await readlink(dir), await numbers()], ['.repo.generations/000001', ['000001']]);
  const note = await readFile(join(home, 'stale.json'));
  await publish('gamma');
  await moveLink(dir, '.repo.generations/000001');
  await rename(join(home, 'stale.json'), join(home, 'stale-next.json'));
  await writeFile(join(home, 'stale.json'), note);
  const files = [await make('delta')];
  const staged = await stageTree(format, { dir, files, settings, date, keepFormer: 0, name: 'staged-one' });
  assert.ok(staged);
  assert.equal(await showStaged(staged), true);
  assert.deepEqual([await readlink(dir), await numbers()], ['.repo.generations/000002', ['000001', '000002']]);
  assert.deepEqual((await format.list(dir)).map(({ name }) => name).sort(), ['beta', 'delta']);
  // One that was shown is none of these, however its writer ended.
  await rename(join(home, 'stale.json'), join(home, 'stale-next.json'));
  await publish('gamma');
  assert.deepEqual(await numbers(), ['000001', '000002', '000003']);
});

test('a note that cannot be written gives the lock back only when the index is signed', async (t) => {
  const { dir, make } = await repository(t);
  const { home } = await generationsOf(dir);
  await mkdir(join(home, 'stale-next.json'));
  let going = 0;
  const sign = async (text: string) => {
    going += 1;
    await sleep(500);
    going -= 1;
    return text;
  };
  const signer = { detach: sign, clear: sign, publicKey: async () => 'key', package: async () => {} };
  await assert.rejects(publishPackages(format, { dir, files: [await make('beta')], settings, signer, date }), /EISDIR/);
  assert.equal(going, 0);
});
