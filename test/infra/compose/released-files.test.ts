import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { createReleasedFiles } from '../../../infra/compose/released-files.ts';
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
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), '');
  }
});
after(() => rm(root, { recursive: true, force: true }));

const rows: [says: string, format: PackageFormat, name: string, expected: string[] | null][] = [
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
  ['what was never released has nothing', 'deb', 'other', null],
];
for (const [says, format, name, expected] of rows) {
  test(says, async () => {
    const platform = builtInPlatforms.find((each) => each.format === format);
    assert.ok(platform);
    const found = await createReleasedFiles(root)(platform, name);
    assert.deepEqual(found === null ? null : found.map((path) => basename(path)).sort(), expected?.toSorted() ?? null);
  });
}
