import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { currentTree, generationsOf, recentTrees } from '../../../activities/repository/generations.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { makePackage, temporary } from './packages.ts';

const format = repositoryFormats.deb;
const main = join(import.meta.dirname, '../../../cli/main.ts');

/** Publishes by the command line, in a process of its own. */
function publishing(dir: string, file: string) {
  const words = ['repo', 'publish', dir, '--format', 'deb', '--codename', 'test', file];
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], { stdio: 'ignore' });
}

async function names(dir: string): Promise<readonly string[]> {
  return (await format.list(dir)).map(({ name }) => name).sort();
}

async function problems(tree: string) {
  return (await checkRepository(format, { tree, others: [] })).problems;
}

test('who publishes into one repository at the same time waits for the other, and nothing is lost', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const wanted = ['alpha', 'beta', 'gamma', 'delta'];
  const files = await Promise.all(wanted.map((name) => makePackage('deb', work, { name, version: '1' })));
  const ends = await Promise.all(files.map((file) => once(publishing(dir, file), 'close')));
  assert.deepEqual(
    ends.map(([code]) => code),
    wanted.map(() => 0),
  );
  assert.deepEqual(await names(dir), wanted.toSorted());
  assert.deepEqual(await problems(dir), []);
});

test('killed at any moment: readers have the state before or the one after, whole, and the next publication goes on', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const make = (name: string) => makePackage('deb', work, { name, version: '1' });
  const publish = (file: string) =>
    publishPackages(format, { dir, files: [file], settings: { codename: 'test' }, date: new Date() });
  await publish(await make('first'));
  const start = performance.now();
  await once(publishing(dir, await make('second')), 'close');
  const whole = performance.now() - start;
  const expected = ['first', 'second'];
  for (let round = 0; round < 16; round += 1) {
    const name = `killed${round}`;
    const file = await make(name);
    const child = publishing(dir, file);
    const closed = once(child, 'close');
    await sleep(whole * (0.25 + 0.75 * Math.random()));
    child.kill('SIGKILL');
    await closed;
    const found = await names(dir);
    assert.ok(found.length === expected.length || found.includes(name), found.join(' '));
    assert.deepEqual(await problems(dir), [], `killed in round ${round}`);
    await publish(file);
    expected.push(name);
    assert.deepEqual(await names(dir), expected.toSorted());
  }
  assert.deepEqual(await problems(dir), []);
});

test('a package damaged on disk is named, and one good copy in its place mends all states', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const good = new Map<string, string>();
  for (const name of ['alpha', 'beta']) {
    const file = await makePackage('deb', work, { name, version: '1' });
    good.set(name, file);
    await publishPackages(format, { dir, files: [file], settings: { codename: 'test' }, date: new Date() });
  }
  const [alpha] = await format.list(dir);
  assert.ok(alpha);
  const path = join(dir, alpha.path);
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 8) ^ 1, bytes.length - 8);
  await writeFile(path, bytes);
  const generations = await generationsOf(dir);
  const trees = await recentTrees(generations);
  assert.deepEqual([trees.length, trees[0]], [2, await currentTree(generations)]);
  for (const tree of trees) {
    const found = await problems(tree);
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'hash').map(({ subject }) => basename(subject)),
      ['alpha_1_all.deb'],
      JSON.stringify(found),
    );
  }
  await copyFile(good.get('alpha') ?? '', path);
  for (const tree of trees) assert.deepEqual(await problems(tree), []);
});
