import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must, run } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { ExtraText, IndexSigner } from '../../../activities/repository/port.ts';
import { describePackages, publishPackages, removePackages } from '../../../activities/repository/publish.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, openKey } from '../../../activities/sign/key.ts';
import { extraKinds, extraTypes } from '../../../pipelines/formats/rpm/extra-kinds.ts';
import { parseXml } from '../../../pipelines/formats/rpm/xml.ts';
import { advisories, group, stream } from './extra-samples.ts';
import { makePackage, type Sample, temporary } from './packages.ts';

const { rpm, deb } = repositoryFormats;
const all = [group('tools', 'alpha'), stream('web', '1', 'web-0:1-1.noarch'), advisories('SLU-1', 'alpha 2 1')];

async function repository(t: Parameters<typeof temporary>[0], signer?: IndexSigner) {
  const work = await temporary(t);
  const dir = join(work, 'repository');
  const signing = signer === undefined ? {} : { signer };
  const date = () => new Date();
  return {
    work,
    dir,
    add: async (...samples: readonly Sample[]) => {
      const files = await Promise.all(samples.map((sample) => makePackage('rpm', work, sample)));
      return publishPackages(rpm, { dir, files, settings: {}, ...signing, date: date() });
    },
    give: (...given: readonly ExtraText[]) =>
      describePackages(rpm, { dir, extras: { given, remove: [] }, ...signing, date: date() }),
  };
}

/** What `repomd.xml` says of a repository's files, by their types, without times. */
async function entriesOf(tree: string): Promise<ReadonlyMap<string, object>> {
  const { children } = parseXml(await readFile(join(tree, 'repodata/repomd.xml'), 'utf8'));
  const data = children.filter(({ name }) => name === 'data');
  const told = (one: (typeof data)[number]) => one.children.filter(({ name }) => name !== 'timestamp');
  return new Map(data.map((one) => [one.attributes.type ?? '', told(one)]));
}

test('what is given is what modifyrepo_c makes of it, and stays with what is published and removed later', async (t) => {
  const { work, dir, add, give } = await repository(t);
  await add({ name: 'alpha', version: '1' });
  const { changed, notes } = await give(...all);
  assert.equal(changed, true);
  assert.deepEqual(notes, [
    'modules: web:1 names web-1-1.noarch, which is not in the repository',
    'updateinfo: SLU-1 names alpha-2-1.noarch, which is not in the repository',
  ]);
  assert.equal((await give(...all)).changed, false);
  await add({ name: 'alpha', version: '2' }, { name: 'web', version: '1' });
  await removePackages(rpm, {
    dir,
    remove: ({ name, version }) => `${name} ${version}` === 'alpha 1-1',
    date: new Date(),
  });
  const reference = join(work, 'reference');
  await must('cp', ['--recursive', '--dereference', '--', dir, reference]);
  await must('rm', ['--recursive', '--', join(reference, 'repodata')]);
  await must('createrepo_c', ['--quiet', '--no-database', '--general-compress-type=gz', reference]);
  for (const { kind, from, text } of all) {
    await writeFile(join(work, from), text);
    await must('modifyrepo_c', [`--mdtype=${extraTypes[kind][0]}`, join(work, from), join(reference, 'repodata')]);
  }
  const [found, made] = await Promise.all([entriesOf(dir), entriesOf(reference)]);
  for (const type of ['updateinfo', 'group', 'modules']) assert.deepEqual(found.get(type), made.get(type), type);
  assert.deepEqual([...found.keys()], [...made.keys()]);
  const { problems, warnings, checked } = await checkRepository(rpm, { tree: dir, others: [] });
  assert.deepEqual([problems, checked.indexes], [[], 6]);
  assert.deepEqual(warnings, []);
  await removePackages(rpm, { dir, remove: ({ name }) => name === 'web', date: new Date() });
  assert.deepEqual((await checkRepository(rpm, { tree: dir, others: [] })).warnings, [
    'modules: web:1 names web-1-1.noarch, which is not in the repository',
  ]);
});

test('one is replaced or taken away without the others', async (t) => {
  const { dir, add, give } = await repository(t);
  await add({ name: 'alpha', version: '2' });
  await give(...all);
  const before = await entriesOf(dir);
  assert.deepEqual((await give(advisories('SLU-2'))).notes, []);
  await describePackages(rpm, { dir, extras: { given: [], remove: ['comps'] }, date: new Date() });
  const after = await entriesOf(dir);
  assert.deepEqual([...after.keys()], ['primary', 'filelists', 'other', 'modules', 'updateinfo']);
  assert.deepEqual(after.get('modules'), before.get('modules'));
  assert.notDeepEqual(after.get('updateinfo'), before.get('updateinfo'));
});

test('what cannot be read is refused by file and line, and changes nothing', async (t) => {
  const { dir, add, give } = await repository(t);
  await assert.rejects(give(...all), /there is no repository yet: publish packages first/);
  await add({ name: 'alpha', version: '1' });
  const before = await entriesOf(dir);
  for (const kind of extraKinds) {
    await assert.rejects(give({ kind, from: 'some/file', text: '<a>\n' }), {
      name: 'RepositoryRefusal',
      message: /^some\/file:1: /,
    });
  }
  assert.deepEqual(await entriesOf(dir), before);
  const file = await makePackage('deb', join(dir, '..'), { name: 'alpha', version: '1' });
  const apt = { dir: join(dir, '../apt'), date: new Date() };
  await publishPackages(deb, { ...apt, files: [file], settings: { codename: 'x' } });
  await assert.rejects(
    describePackages(deb, { ...apt, extras: { given: all, remove: [] } }),
    /an APT repository has no updateinfo, comps or modules/,
  );
});

test('a repository that others made passes them on, however they are packed; what else it has is told', async (t) => {
  const { work, dir, give } = await repository(t);
  const base = join(work, 'base');
  await mkdir(base);
  await must('mv', ['--', await makePackage('rpm', work, { name: 'alpha', version: '2' }), base]);
  for (const { from, text } of all) await writeFile(join(work, from), text);
  await must('createrepo_c', ['--quiet', '--groupfile', join(work, 'comps.xml'), base]);
  const add = (type: string, file: string, pack: string) =>
    must('modifyrepo_c', [`--mdtype=${type}`, `--compress-type=${pack}`, join(work, file), join(base, 'repodata')]);
  await add('updateinfo', 'updateinfo.xml', 'xz');
  await add('modules', 'modules.yaml', 'bz2');
  await add('productid', 'comps.xml', 'gz');
  const request = { dir, files: [], settings: {}, base, date: new Date() };
  const first = await publishPackages(rpm, request);
  assert.deepEqual(first.notes, [`productid of ${base} is left out: nothing is known of it here`]);
  const found = await entriesOf(dir);
  assert.deepEqual([...found.keys()], ['primary', 'filelists', 'other', 'group', 'modules', 'updateinfo']);
  assert.equal((await publishPackages(rpm, request)).changed, false);
  // As if it had been given by hand.
  assert.equal((await give(...all)).changed, false);
  await give(advisories('SLU-2'));
  const own = (await entriesOf(dir)).get('updateinfo');
  const again = await publishPackages(rpm, request);
  assert.match(
    again.notes[0] ?? '',
    /^updateinfo of .* is left out: there is another one \(see `sluice repo metadata`/,
  );
  assert.deepEqual((await entriesOf(dir)).get('updateinfo'), own);
});

test('dnf lists them from a signed repository: after a publication, and once they are replaced', async (t) => {
  const keys = await temporary(t);
  t.after(() => closeAgent(keys));
  const signer = createGpgSigner({ home: keys, key: await openKey(keys, 'A <a@example.org>') });
  const { work, dir, add, give } = await repository(t, signer);
  await add({ name: 'alpha', version: '1' }, { name: 'web', version: '1' });
  await give(...all);
  const repos = join(work, 'repos');
  await mkdir(repos);
  const checks = ['gpgcheck=1', 'repo_gpgcheck=1', 'skip_if_unavailable=0', `gpgkey=file://${dir}/archive-key.asc`];
  const repo = ['[sluice]', 'name=sluice', `baseurl=file://${dir}`, ...checks, ''];
  await writeFile(join(repos, 'sluice.repo'), repo.join('\n'));
  const apart = [`--installroot=${work}/root`, '--releasever=1', '--setopt=module_platform_id=platform:x'];
  const settings = [`reposdir=${repos}`, `cachedir=${work}/cache`];
  const dnf = async (...args: readonly string[]) => {
    const options = [...apart, ...settings.map((one) => `--setopt=${one}`)];
    const { code, stdout, stderr } = await run('dnf', ['--assumeyes', '--refresh', ...options, ...args]);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };
  await dnf('install', 'alpha');
  await add({ name: 'alpha', version: '2' });
  assert.match(await dnf('updateinfo', 'list'), /SLU-1 +Important\/Sec\. +alpha-2-1\.noarch/);
  assert.match(await dnf('group', 'list'), /The tools/);
  assert.match(await dnf('module', 'list'), /web +1 /);
  assert.doesNotMatch(await dnf('list', '--available'), /web\.noarch/, 'a stream that nobody enabled is hidden');
  await dnf('module', 'enable', 'web:1');
  assert.match(await dnf('list', '--available'), /web\.noarch/);
  await give(advisories('SLU-2', 'alpha 2 1'));
  assert.match(await dnf('updateinfo', 'list'), /SLU-2/);
  await dnf('upgrade', '--security');
  assert.match(await dnf('list', '--installed'), /alpha\.noarch +2-1/);
});
