import assert from 'node:assert/strict';
import { readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { moveLink } from '../../../activities/files/write.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { generationsOf } from '../../../activities/repository/generations.ts';
import { publishPackages, removePackages } from '../../../activities/repository/publish.ts';
import { makePackage, temporary } from './packages.ts';

const start = Date.parse('2026-11-27T12:00:00Z');
const hour = 3_600_000;

for (const id of ['deb', 'rpm'] as const) {
  test(`who has read an old index of a ${id} repository is served for hours, however often it changes`, async (t) => {
    const format = repositoryFormats[id];
    const work = await temporary(t);
    const dir = join(work, 'repo');
    const settings = id === 'deb' ? { codename: 'test', architectures: ['amd64'] } : {};
    const request = (hours: number) => ({ dir, date: new Date(start + hours * hour), keepFormer: 6 * 3600 });
    const publish = async (name: string, hours: number) => {
      const files = [await makePackage(id, work, { name, version: '1' })];
      assert.equal((await publishPackages(format, { ...request(hours), files, settings })).changed, true);
    };
    await publish('alpha', 0);
    const named = [...(await format.served(dir)), ...(await format.list(dir)).map(({ path }) => path)];
    assert.ok(named.length >= 3);
    const there = async () => {
      const found = await Promise.all(named.map((path) => exists(join(dir, path))));
      return found.filter(Boolean).length;
    };
    await publish('beta', 1);
    await removePackages(format, { ...request(1), remove: ({ name }) => name === 'alpha' });
    for (const [position, name] of ['c', 'd', 'e', 'f'].entries()) await publish(name, 2 + position);
    assert.equal(await there(), named.length, 'four states later');
    await publish('g', -100);
    assert.equal(await there(), named.length, 'the clock was set back');
    await killBeforeShown(dir, () => publish('h', 6));
    await publish('h', 6);
    assert.equal(await there(), named.length, 'a publication was killed before its tree was shown');
    // Beta came at 1 with another list, alpha went a moment later.
    await publish('i', 7);
    assert.equal(await there(), 0, 'their time is over');
    assert.equal((await format.list(dir)).length, 8);
  });
}

/** Leaves a repository as a process does that is killed right before it shows its tree, all else being done. */
async function killBeforeShown(dir: string, publish: () => Promise<void>): Promise<void> {
  const { home } = await generationsOf(dir);
  const [text, note] = [await readlink(dir), await readFile(join(home, 'stale.json'))];
  await publish();
  await moveLink(dir, text);
  await rename(join(home, 'stale.json'), join(home, 'stale-next.json'));
  await writeFile(join(home, 'stale.json'), note);
}
