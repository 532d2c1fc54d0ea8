import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must, run } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages, showStaged, stageTree } from '../../../activities/repository/publish.ts';
import { makePackage, temporary } from './packages.ts';

const hour = 3_600_000;

test('APT takes a state that was published after the clock was set back', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const root = join(work, 'apt');
  for (const directory of ['etc/apt', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'etc/apt/sources.list'), `deb [trusted=yes arch=amd64] file:${dir} test main\n`);
  const given = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Sandbox::User=root'];
  const options = [...given, 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
  const now = Date.now();
  const publish = async (name: string, time: number) => {
    const files = [await makePackage('deb', work, { name, version: '1' })];
    const request = { dir, files, settings: { codename: 'test' }, date: new Date(time) };
    await publishPackages(repositoryFormats.deb, request);
    await must('apt-get', [...options, 'update']);
    return (await run('apt-cache', [...options, 'show', name])).code;
  };
  assert.equal(await publish('alpha', now), 0);
  assert.equal(await publish('beta', now - hour), 0);
  assert.equal(await publish('gamma', now - 2 * hour), 0);
  const release = await readFile(join(dir, 'dists/test/Release'), 'utf8');
  assert.equal(/^Date: (.*)$/m.exec(release)?.[1], new Date(now).toUTCString().replace('GMT', '+0000'));
});

for (const format of ['deb', 'rpm'] as const) {
  test(`a ${format} state is dated as the clock says, but not before the one that is shown`, async (t) => {
    const work = await temporary(t);
    const dir = join(work, 'repo');
    const side = repositoryFormats[format];
    const settings = format === 'deb' ? { codename: 'test' } : {};
    const start = Date.parse('2026-11-27T12:00:00Z');
    const dates: number[] = [];
    for (const [name, hours] of Object.entries({ a: 0, b: 1, c: -22, d: -25, e: 2 })) {
      const files = [await makePackage(format, work, { name: `p${name}`, version: '1' })];
      await publishPackages(side, { dir, files, settings, date: new Date(start + hours * hour) });
      dates.push(((await side.dated(dir)) - start) / hour);
    }
    assert.deepEqual(dates, [0, 1, 1, -25, 2], 'what was a day ahead is taken for a mistake');
    const files = [await makePackage(format, work, { name: 'staged', version: '1' })];
    const staged = await stageTree(side, { dir, files, settings, date: new Date(start), name: 'staged-1' });
    assert.ok(staged !== null && (await showStaged(staged)));
    assert.equal((await side.dated(dir)) - start, 2 * hour);
  });
}
