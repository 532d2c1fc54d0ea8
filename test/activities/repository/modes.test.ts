import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { listFiles } from '../../../activities/repository/files.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import {
  asWriter,
  generationsOf,
  newTree,
  removeStaged,
  showTree,
} from '../../../activities/repository/generations.ts';
import { buildRepository, publishPackages, showStaged, stageTree } from '../../../activities/repository/publish.ts';
import { makePackage, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');

/** The tests of a file run one after the other. */
async function underClosedUmask<T>(work: () => Promise<T>): Promise<T> {
  const umask = process.umask(0o077);
  try {
    return await work();
  } finally {
    process.umask(umask);
  }
}

/** What somebody without any rights cannot read below a directory, or enter. */
async function unreadable(root: string): Promise<string> {
  if (process.getuid?.() === 0) {
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
    const search = ['find', '-L', root, '!', '-readable', '-o', '-type', 'd', '!', '-executable'];
    return (await must('setpriv', [...nobody, ...search])).stdout;
  }
  const closed = ['(', '-type', 'd', '!', '-perm', '-005', ')', '-o', '(', '-type', 'f', '!', '-perm', '-004', ')'];
  return (await must('find', ['-L', root, ...closed])).stdout;
}

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  const settings = { codename: id === 'deb' ? 'bookworm' : '', origin: 'Test' };

  test(`P10: a ${id} repository is for everybody to read, whatever the umask and what it stands on`, async (t) => {
    const work = await temporary(t);
    await chmod(work, 0o755);
    const one = await makePackage(id, work, { name: 'alpha', version: '1-1' });
    const dir = join(work, 'above', 'repo');
    await underClosedUmask(() => publishPackages(format, { dir, files: [one], settings, date }));
    assert.equal(await unreadable(dir), '');

    // As an older version left it, which noted nothing.
    const { home } = await generationsOf(dir);
    await rm(join(home, 'stale.json'));
    for (const path of await listFiles(dir)) await chmod(join(dir, path), 0o600);
    await chmod(home, 0o755);
    const two = await makePackage(id, work, { name: 'beta', version: '1-1' });
    await chmod(two, 0o600);
    await underClosedUmask(() => publishPackages(format, { dir, files: [two], settings, date }));
    assert.equal(await unreadable(dir), '');
    const modes = await Promise.all((await listFiles(dir)).map(async (path) => (await stat(join(dir, path))).mode));
    assert.deepEqual([...new Set(modes.map((mode) => mode & 0o777))], [0o644]);

    const plain = join(work, 'plain');
    await underClosedUmask(() => buildRepository(format, plain, { files: [one, two], settings, date }));
    assert.equal(await unreadable(plain), '');
  });

  test(`P10: a ${id} repository of the same packages is the same, whatever their times`, async (t) => {
    const work = await temporary(t);
    const file = await makePackage(id, work, { name: 'alpha', version: '1-1' });
    const texts: string[] = [];
    for (const [name, time] of [
      ['a', 1_000_000_000],
      ['b', 1_500_000_000],
    ] as const) {
      await utimes(file, time, time);
      await buildRepository(format, join(work, name), { files: [file], settings, date });
      const trees = await must('find', [join(work, name), '-type', 'f', '-exec', 'sha256sum', '{}', '+']);
      texts.push(trees.stdout.replaceAll(join(work, name), '').split('\n').sort().join('\n'));
    }
    assert.equal(texts[0], texts[1]);
  });
}

test('R15: what was staged and never shown goes with the next publication', async (t) => {
  const work = await temporary(t);
  const format = repositoryFormats.deb;
  const settings = { codename: 'bookworm', origin: 'Test' };
  const dir = join(work, 'repo');
  const one = await makePackage('deb', work, { name: 'alpha', version: '1-1' });
  const dead = await stageTree(format, { dir, files: [one], settings, date, name: 'staged-dead-deb' });
  const live = await stageTree(format, { dir, files: [one], settings, date, name: 'staged-live-deb' });
  assert.ok(dead !== null && live !== null);
  const { home } = dead.generations;
  assert.deepEqual((await readdir(home)).sort(), ['lock', 'staged-dead-deb', 'staged-live-deb']);
  assert.equal(await showStaged(live), true);
  assert.deepEqual((await readdir(home)).sort(), ['000001', 'lock', 'stale.json']);
  assert.equal(await showStaged(dead), false, 'it stood on the state before');
});

test('R15: what was staged stays for who will still show it', async (t) => {
  const work = await temporary(t);
  const generations = await generationsOf(join(work, 'repo'));
  await asWriter(generations, 1, async () => {
    for (const name of ['staged-wanted', 'staged-dead', 'partial']) await newTree(generations, name);
    // Somebody was killed while removing one: what is left of it has no name under which it is shown.
    await mkdir(join(generations.home, 'going-staged-half'));
  });
  await mkdir(join(generations.home, 'something else'));
  const isWanted = (name: string, touched: number) => name === 'staged-wanted' && touched > 0;
  assert.equal(await removeStaged(generations, isWanted, true), 2);
  assert.equal(await removeStaged(generations, isWanted), 2);
  assert.deepEqual((await readdir(generations.home)).sort(), [
    ...['going-staged-half', 'lock', 'something else', 'staged-wanted'],
  ]);
  const show = async () => showTree(generations, await newTree(generations));
  const tree = await underClosedUmask(() => asWriter(generations, 1, show));
  assert.deepEqual((await readdir(generations.home)).sort(), ['000001', 'lock', 'something else']);
  assert.equal((await stat(tree)).mode & 0o777, 0o755);
});
