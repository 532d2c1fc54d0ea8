import assert from 'node:assert/strict';
import { mkdir, readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exists } from '../../../activities/files/exists.ts';
import { moveLink } from '../../../activities/files/write.ts';
import { must } from '../../../activities/process/run.ts';
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

test('that holds also where packages of a base stand elsewhere than ours', async (t) => {
  const { rpm } = repositoryFormats;
  const work = await temporary(t);
  const [base, dir] = [join(work, 'base'), join(work, 'repo')];
  await mkdir(base);
  await makePackage('rpm', base, { name: 'other', version: '1' });
  await must('createrepo_c', ['--quiet', base]);
  const files = [await makePackage('rpm', work, { name: 'alpha', version: '1' })];
  const request = (hours: number) => ({ dir, date: new Date(start + hours * hour), keepFormer: 6 * 3600 });
  const publish = (hours: number) => publishPackages(rpm, { ...request(hours), files, settings: {} });
  const remove = (hours: number) => removePackages(rpm, { ...request(hours), remove: ({ name }) => name === 'alpha' });
  await publishPackages(rpm, { ...request(0), files, settings: {}, base });
  assert.ok((await rpm.list(dir)).some(({ path }) => path === 'other-1-1.noarch.rpm'));
  // The other lists are those of later states as well.
  const list = (await rpm.served(dir)).find((path) => path.includes('primary')) ?? '';
  for (const hours of [1, 3, 5]) {
    await remove(hours);
    await publish(hours + 1);
  }
  assert.ok(await exists(join(dir, list)), 'six states later');
  await remove(9);
  assert.ok(!(await exists(join(dir, list))), 'its time is over');
  assert.deepEqual(
    (await rpm.list(dir)).map(({ name }) => name),
    ['other'],
  );
});

/** Leaves a repository as a process does that is killed right before it shows its tree, all else being done. */
async function killBeforeShown(dir: string, publish: () => Promise<void>): Promise<void> {
  const { home } = await generationsOf(dir);
  const [text, note] = [await readlink(dir), await readFile(join(home, 'stale.json'))];
  await publish();
  await moveLink(dir, text);
  await rename(join(home, 'stale.json'), join(home, 'stale-next.json'));
  await writeFile(join(home, 'stale.json'), note);
}
