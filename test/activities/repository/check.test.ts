import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, openKey } from '../../../activities/sign/key.ts';
import { makePackage, makeSource, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');
const { deb, rpm } = repositoryFormats;

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  const settings = { codename: id === 'deb' ? 'bookworm' : '' };
  const older = id === 'deb' ? { Breaks: 'old (<< 2)', Replaces: 'old (<< 2)' } : { Conflicts: 'old < 2' };
  const samples = {
    'an exclusion of older versions does not cover a newer one': [{ name: 'old', version: '2-1' }, { fields: older }],
    'an exclusion of older versions covers an older one': [{ name: 'old', version: '1-9' }, { fields: older }],
    'alternatives that conflict by what they provide are none': [
      { name: 'left', fields: { Provides: 'agent', Conflicts: 'agent' } },
      { fields: { Provides: 'agent', Conflicts: 'agent' } },
    ],
  };
  for (const [position, [what, pair]] of Object.entries(samples).entries()) {
    test(`${id}, file conflicts: ${what}`, async (t) => {
      const work = await temporary(t);
      const make = (given: object, nth: number) => {
        const files = { '/usr/share/tool': `${nth}` };
        return makePackage(id, work, { name: 'new', version: '1-1', ...given, files });
      };
      const files = await Promise.all(pair.map(make));
      await publishPackages(format, { dir: join(work, 'repo'), files, settings, date });
      const problems = (await checkRepository(format, { tree: join(work, 'repo'), others: [] })).problems;
      assert.deepEqual(
        problems.map(({ kind }) => kind),
        position === 0 ? ['conflict'] : [],
      );
    });
  }

  test(`${id}: a signature is made when it is asked for, and checked whatever key stands beside it`, async (t) => {
    const work = await temporary(t);
    const dir = join(work, 'repo');
    const files = [await makePackage(id, work, { name: 'alpha', version: '1-1' })];
    await publishPackages(format, { dir, files, settings, date });
    const home = join(work, 'keys');
    const signer = createGpgSigner({ home, key: await openKey(home, 'Test <test@example.org>') });
    t.after(() => closeAgent(home));
    const signed = await publishPackages(format, { dir, files, settings, date, signer });
    assert.equal(signed.changed, true);
    assert.deepEqual((await checkRepository(format, { tree: dir, others: [] })).problems, []);
    assert.equal((await publishPackages(format, { dir, files, settings, date, signer })).changed, false);
    await unlink(join(dir, 'archive-key.asc'));
    const problems = (await checkRepository(format, { tree: dir, others: [] })).problems;
    assert.ok(problems.length > 0 && problems.every(({ kind }) => kind === 'signature'), JSON.stringify(problems));
  });

  test(`${id}: what is no directory of repositories is left alone`, async (t) => {
    const work = await temporary(t);
    const files = [await makePackage(id, work, { name: 'alpha', version: '1-1' })];
    await writeFile(join(work, 'file'), 'mine');
    await symlink('loop', join(work, 'loop'));
    const publish = (name: string) => publishPackages(format, { dir: join(work, name), files, settings, date });
    await assert.rejects(publish('file'), /RepositoryRefusal.*cannot be a repository/);
    assert.equal(await readFile(join(work, 'file'), 'utf8'), 'mine');
    await assert.rejects(publish('loop'), /RepositoryRefusal.*leads to itself/);
  });
}

test('P1: a package for the installer is where the installer looks, and nowhere else', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const file = { '/usr/bin/alpha': '#!/bin/sh\n' };
  const ordinary = await makePackage('deb', work, { name: 'alpha', version: '1.0-1', files: file });
  const made = await makePackage('deb', work, { name: 'alpha-udeb', version: '1.0-1', files: file, requires: ['di'] });
  const installer = made.replace(/deb$/, 'udeb');
  await rename(made, installer);
  await publishPackages(deb, { dir, files: [ordinary, installer], settings: { codename: 'bookworm' }, date });
  const [list] = (await readdir(join(dir, 'dists/bookworm/main'))).filter((name) => name.startsWith('binary-'));
  const read = (path: string) => readFile(join(dir, 'dists/bookworm/main', path, list ?? '', 'Packages'), 'utf8');
  assert.deepEqual((await read('.')).match(/^Package: .*$/gm), ['Package: alpha']);
  assert.deepEqual((await read('debian-installer')).match(/^Package: .*$/gm), ['Package: alpha-udeb']);
  assert.match(await readFile(join(dir, 'dists/bookworm/Release'), 'utf8'), /main\/debian-installer\/binary-/);
  const { problems } = await checkRepository(deb, { tree: dir, others: [] });
  assert.deepEqual(problems, [], 'its needs are met by the installer, and its files stand on no installed system');
  assert.equal((await publishPackages(deb, { dir, files: [installer], settings: {}, date })).changed, false);
});

test('a list of packages is no package', async (t) => {
  const work = await temporary(t);
  const real = await makePackage('rpm', work, { name: 'alpha', version: '1-1' });
  const list = join(work, 'list.rpm');
  await writeFile(list, `${real}\n`);
  await assert.rejects(rpm.inspect(list), /list\.rpm is no RPM package/);
  await cp(real, join(work, 'odd[x]*?.rpm'));
  assert.equal((await rpm.inspect(join(work, 'odd[x]*?.rpm'))).name, 'alpha');
});

test('a tarball that is there is never rewritten, and damage to it is found', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const publish = (file: string) =>
    publishPackages(deb, { dir, files: [file], settings: { codename: 'bookworm' }, date });
  await publish(await makeSource(join(work, 'a'), '1', 'one'));
  const tarball = join(dir, 'pool/main/f/foo/foo_1.0.orig.tar.gz');
  await assert.rejects(publish(await makeSource(join(work, 'b'), '2', 'two')), /orig\.tar\.gz.*other content/);
  assert.equal(await readFile(tarball, 'utf8'), 'one');
  await publish(await makeSource(join(work, 'c'), '3', 'one'));
  assert.deepEqual((await checkRepository(deb, { tree: dir, others: [] })).problems, []);
  await writeFile(tarball, 'broken');
  const problems = (await checkRepository(deb, { tree: dir, others: [] })).problems;
  assert.ok(problems.length > 0 && problems.every(({ kind }) => kind === 'hash'), JSON.stringify(problems));
  await rm(join(work, 'a/foo_1.0.orig.tar.gz'));
  await assert.rejects(publish(join(work, 'a/foo_1.0-1.dsc')), /is not the file that foo_1\.0-1\.dsc names/);
});

/** An archive as others make it: packed lists alone, several components. */
async function makeArchive(root: string, dist: string, [component, file]: readonly [string, string]): Promise<void> {
  const lists = join(root, 'dists', dist, component, 'binary-amd64');
  await mkdir(lists, { recursive: true });
  await mkdir(join(root, 'pool', component), { recursive: true });
  await cp(file, join(root, 'pool', component, basename(file)));
  const { stdout } = await must('apt-ftparchive', ['packages', join('pool', component)], { cwd: root });
  await writeFile(join(lists, 'Packages'), stdout);
  await must('xz', ['--keep', join(lists, 'Packages')]);
  const options = [
    '-o',
    'APT::FTPArchive::Release::Architectures=amd64',
    '-o',
    `APT::FTPArchive::Release::Codename=${dist}`,
  ];
  const release = await must('apt-ftparchive', [...options, 'release', join(root, 'dists', dist)]);
  await writeFile(join(root, 'dists', dist, 'Release'), release.stdout);
  await rm(join(lists, 'Packages'));
}

test('an archive with packed lists, several components or distributions can be checked, based on and leant on', async (t) => {
  const work = await temporary(t);
  const [one, two] = [join(work, 'one'), join(work, 'two')];
  const make = (name: string, requires: readonly string[] = []) =>
    makePackage('deb', work, { name, version: '1-1', requires });
  await makeArchive(one, 'stable', ['contrib', await make('alpha')]);
  await cp(one, two, { recursive: true });
  await makeArchive(two, 'updates', ['main', await make('beta')]);
  assert.deepEqual((await checkRepository(deb, { tree: one, others: [] })).problems, []);
  const dir = join(work, 'repo');
  const files = [await make('needy', ['alpha', 'beta'])];
  const settings = { codename: 'stable', architectures: ['amd64'] };
  await publishPackages(deb, { dir, files, settings, date, base: one });
  const names = (await deb.list(dir)).map(({ name }) => name);
  assert.deepEqual(names.sort(), ['alpha', 'needy']);
  const lacking = (await checkRepository(deb, { tree: dir, others: [one] })).problems;
  assert.match(JSON.stringify(lacking), /needs beta/);
  assert.deepEqual((await checkRepository(deb, { tree: dir, others: [two] })).problems, []);
});
