import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReleasedPackage } from '../../../activities/lint/stage.ts';
import { createReleasedStore } from '../../../activities/storage/filesystem/released-store.ts';
import { createReleasedFiles } from '../../../infra/common/released-files.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';

let root: string;

const files = [
  ...[
    'deb/pool/main/l/lib_1.0-1.dsc',
    'deb/pool/main/l/lib_1.0.orig.tar.gz',
    'deb/pool/main/l/lib_1.0-1.debian.tar.xz',
  ],
  ...[
    'deb/pool/main/l/lib_1.10-1.dsc',
    'deb/pool/main/l/lib_1.10.orig.tar.gz',
    'deb/pool/main/l/lib_1.10-1.debian.tar.xz',
  ],
  ...[
    'deb/pool/main/l/lib_1.9-1_amd64.deb',
    'deb/pool/main/l/lib_1.10-1_amd64.deb',
    'deb/pool/main/l/lib-dev_1.10-1_amd64.deb',
  ],
  ...[
    'rpm/Packages/l/lib-1.9-1.x86_64.rpm',
    'rpm/Packages/l/lib-1.10-1.x86_64.rpm',
    'rpm/Packages/l/lib-1.10-1.src.rpm',
  ],
  ...['rpm/Packages/l/lib-devel-1.10-1.x86_64.rpm', 'rpm/provenance/lib-1.10-1.src.rpm.intoto.jsonl'],
];

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-released-'));
  for (const file of files) {
    const [format = '', ...path] = file.split('/');
    const target = join(root, `.${format}.generations/000001`, ...path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, '');
  }
  for (const format of ['deb', 'rpm']) await symlink(`.${format}.generations/000001`, join(root, format));
});
after(() => rm(root, { recursive: true, force: true }));

const rows: [says: string, format: PackageFormat, name: string, expected: string[]][] = [
  [
    'of a DEB the newest binary package, and the newest source with its tarballs',
    'deb',
    'lib',
    ['lib_1.10-1_amd64.deb', 'lib_1.10-1.debian.tar.xz', 'lib_1.10-1.dsc', 'lib_1.10.orig.tar.gz'],
  ],
  [
    'of an RPM the newest binary and the newest source package',
    'rpm',
    'lib',
    ['lib-1.10-1.src.rpm', 'lib-1.10-1.x86_64.rpm'],
  ],
  ['a package whose name begins alike is another one', 'rpm', 'lib-devel', ['lib-devel-1.10-1.x86_64.rpm']],
  ['what was never released has nothing', 'deb', 'other', []],
];
for (const [says, format, name, expected] of rows) {
  test(says, async () => {
    assert.deepEqual(await bring(root, format, { name }), expected.toSorted());
  });
}

test('W2: what is released meanwhile is no released version for a build set that runs already', async () => {
  const later = join(root, '.deb.generations/000002/pool/lib_2.0-1_amd64.deb');
  await mkdir(dirname(later), { recursive: true });
  await writeFile(later, '');
  await rm(join(root, 'deb'));
  await symlink('.deb.generations/000002', join(root, 'deb'));
  assert.deepEqual(await bring(root, 'deb', { name: 'lib' }), ['lib_2.0-1_amd64.deb']);
  assert.equal((await bring(root, 'deb', { name: 'lib', seen: { deb: '000001' } })).length, 4);
  assert.deepEqual(await bring(root, 'deb', { name: 'lib', seen: { deb: null } }), []);
});

test('nothing released is no released version', async () => {
  assert.deepEqual(await bring(join(root, 'nowhere'), 'deb', { name: 'lib' }), []);
});

/** The names of the files that are brought. */
async function bring(
  released: string,
  format: PackageFormat,
  wanted: Omit<ReleasedPackage, 'platform' | 'branch'>,
): Promise<readonly string[]> {
  const platform = builtInPlatforms.find((each) => each.format === format);
  assert.ok(platform);
  const directory = await mkdtemp(join(root, 'brought-'));
  const trees = createReleasedStore({ root: released, baseUrl: async () => '' });
  await createReleasedFiles(trees, { codename: 'bookworm', lines: [] })(
    { ...wanted, platform, branch: 'main' },
    directory,
  );
  return (await readdir(directory)).sort();
}
