import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { formatOf } from '../../../activities/repository/formats.ts';
import { makePackage, temporary } from './packages.ts';

async function check(tree: string) {
  const format = await formatOf(tree);
  const { problems, checked } = await checkRepository(format, { tree, others: [] });
  const names = (await format.list(tree)).map(({ name }) => name);
  return { problems: problems.map(({ subject, message }) => `${subject}: ${message}`), checked, names };
}

/** An archive as `apt-ftparchive` makes it with these hashes; flat for the distribution `.`. */
async function archive(t: TestContext, dist: string, hashes: readonly string[]): Promise<string> {
  const tree = await temporary(t);
  const lists = dist === '.' ? tree : join(tree, dist, 'main/binary-amd64');
  await mkdir(lists, { recursive: true });
  await mkdir(join(tree, 'all'));
  const made = await makePackage('deb', await temporary(t), { name: 'alpha', version: '1' });
  await rename(made, join(tree, 'all', basename(made)));
  const wanted = ['MD5', 'SHA1', 'SHA256', 'SHA512'].flatMap((name) => [
    '-o',
    `APT::FTPArchive::${name}=${hashes.includes(name)}`,
    '-o',
    `APT::FTPArchive::Release::${name}=${hashes.includes(name)}`,
  ]);
  const packages = await must('apt-ftparchive', [...wanted, 'packages', 'all'], { cwd: tree });
  await writeFile(join(lists, 'Packages'), packages.stdout);
  const release = await must('apt-ftparchive', [...wanted, 'release', dist], { cwd: tree });
  await writeFile(join(tree, dist, 'Release'), `Architectures: amd64\n${release.stdout}`);
  return tree;
}

const package1 = 'all/alpha_1_all.deb';

for (const dist of ['dists/stable', '.']) {
  for (const hashes of [['SHA256'], ['SHA512'], ['MD5', 'SHA1', 'SHA256', 'SHA512']]) {
    test(`P2: an archive in ${dist} with ${hashes}: checked when whole, and its damage is found`, async (t) => {
      const tree = await archive(t, dist, hashes);
      const whole = await check(tree);
      assert.deepEqual([whole.problems, whole.names, whole.checked.packages], [[], ['alpha'], 1]);
      await appendFile(join(tree, package1), 'x');
      assert.deepEqual((await check(tree)).problems, [`${package1}: its content is not what the index says`]);
    });
  }

  test(`P2: an archive in ${dist} whose lists are not there, or by weak hashes, is not checked`, async (t) => {
    const weak = await check(await archive(t, dist, ['MD5', 'SHA1']));
    assert.ok(
      weak.problems.length > 0 && weak.problems.every((one) => /cannot be checked: .* by sha1 alone/.test(one)),
    );
    const tree = await archive(t, dist, ['SHA256']);
    const list = dist === '.' ? 'Packages' : 'dists/stable/main/binary-amd64/Packages';
    await rm(join(tree, list));
    const { problems } = await check(tree);
    assert.deepEqual(
      problems,
      [`${join(dist, 'Release')}`].map((root) => `${list}: ${root} names it, and no form of it is there`),
    );
  });
}

test('P2: InRelease alone is enough; nothing at all is not', async (t) => {
  const tree = await archive(t, '.', ['SHA256']);
  await rm(join(tree, 'Release'));
  const bare = await check(tree);
  assert.deepEqual(bare.names, ['alpha']);
  assert.match(bare.problems.join(), /nothing vouches for the packages/);
  const other = await archive(t, 'dists/stable', ['SHA256']);
  await rename(join(other, 'dists/stable/Release'), join(other, 'dists/stable/InRelease'));
  const unsigned = await check(other);
  assert.deepEqual(unsigned.names, ['alpha']);
  assert.match(unsigned.problems.join(), /InRelease/);
});

for (const algorithm of ['sha1', 'sha224', 'sha512']) {
  test(`P2: an RPM repository by ${algorithm}: checked when whole, and its damage is found`, async (t) => {
    const tree = await temporary(t);
    const made = await makePackage('rpm', await temporary(t), { name: 'alpha', version: '1-1' });
    await rename(made, join(tree, basename(made)));
    await must('createrepo_c', ['--quiet', '--checksum', algorithm, tree]);
    const whole = await check(tree);
    assert.deepEqual([whole.problems, whole.names, whole.checked.packages], [[], ['alpha'], 1]);
    assert.ok(whole.checked.indexes >= 3);
    const [file = ''] = (await readdir(tree)).filter((name) => name.endsWith('.rpm'));
    await appendFile(join(tree, file), 'x');
    assert.deepEqual((await check(tree)).problems, [`${file}: its content is not what the index says`]);
  });
}
