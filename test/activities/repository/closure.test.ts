import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, type Sample, temporary } from './packages.ts';

const date = new Date('2026-01-02T03:04:05Z');

async function problemsOf(t: TestContext, id: PackageFormat, make: (work: string) => Promise<string>[]) {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const files = await Promise.all(make(work));
  await publishPackages(repositoryFormats[id], { dir, files, settings: { codename: id === 'deb' ? 'x' : '' }, date });
  const { problems } = await checkRepository(repositoryFormats[id], { tree: dir, others: [] });
  return problems.map(({ kind, subject, message }) => `${kind}: ${subject}: ${message}`).sort();
}

const rpms = (samples: readonly Partial<Sample>[]) => (work: string) =>
  samples.map((one) => makePackage('rpm', work, { name: 'tool', version: '1-1', ...one }));

const closures: Readonly<Record<string, readonly [readonly Partial<Sample>[], readonly RegExp[]]>> = {
  'a condition that does not hold asks for nothing': [[{ requires: ['(kernel-devel if kernel)'] }], []],
  'a condition that holds asks': [
    [{ requires: ['(absent if base)', 'base'] }, { name: 'base' }],
    [/^installability: tool-1-1\.noarch: /],
  ],
  'both of two are needed': [
    [{ requires: ['(base and absent)'] }, { name: 'base' }],
    [/^installability: tool-1-1\.noarch: .*absent/],
  ],
  'two needs that conflict': [
    [{ requires: ['one', 'two'] }, { name: 'one', fields: { Conflicts: 'two' } }, { name: 'two' }],
    [/^installability: tool-1-1\.noarch: /],
  ],
  'versions are ordered as rpm orders them': [
    [
      { requires: ['base = 1.0_a', 'snap < 1.1'] },
      { name: 'base', version: '1.0a-1' },
      { name: 'snap', version: '1^g-1' },
    ],
    [],
  ],
  'an epoch, and a path': [
    [{ requires: ['base = 1:1', '/usr/share/base/data'] }, { name: 'base', version: '1:1-1' }],
    [],
  ],
};

for (const [what, [samples, wanted]] of Object.entries(closures)) {
  test(`P3, K5: what RPM packages need: ${what}`, async (t) => {
    const found = await problemsOf(t, 'rpm', rpms(samples));
    assert.equal(found.length, wanted.length, found.join('\n'));
    for (const [position, pattern] of wanted.entries()) assert.match(found[position] ?? '', pattern);
  });
}

/** An RPM package with one line in its list of files. */
async function rpmWith(
  work: string,
  name: string,
  line: string,
  [arch = 'noarch', needs = '']: readonly string[] = [],
) {
  const top = await mkdtemp(join(work, 'top-'));
  const spec = [
    ...[`Name: ${name}`, 'Version: 1', 'Release: 1', 'Summary: A package', 'License: MIT', 'AutoReqProv: no'],
    ...(arch === 'noarch' ? ['BuildArch: noarch'] : []),
    ...(needs === '' ? [] : [`Requires: ${needs}`]),
    ...['%description', 'It is for trying things.', '%install', 'mkdir -p %{buildroot}/srv/shared'],
    ...['echo same > %{buildroot}/srv/shared/file', '%files', line, ''],
  ];
  await writeFile(join(top, 'a.spec'), spec.join('\n'));
  const defines = [`_topdir ${top}`, '_build_id_links none', '_unpackaged_files_terminate_build 0'];
  const targets = arch === 'noarch' ? [] : ['--target', arch];
  await must('rpmbuild', ['-bb', ...targets, ...defines.flatMap((one) => ['--define', one]), join(top, 'a.spec')]);
  return join(top, 'RPMS', arch, `${name}-1-1.${arch}.rpm`);
}

const files: Readonly<Record<string, readonly [string, string, RegExp | null]>> = {
  'one directory of two modes': [
    '%dir %attr(0755,root,root) /srv/shared',
    '%dir %attr(0750,root,root) /srv/shared',
    /drwxr-x---/,
  ],
  'one file of two owners': ['%attr(-,root,root) /srv/shared/file', '%attr(-,games,root) /srv/shared/file', /games/],
  'the same file in both': ['/srv/shared/file', '/srv/shared/file', null],
  'a file that one of them does not bring': [
    '/srv/shared/file',
    '%ghost %attr(0600,games,root) /srv/shared/file',
    null,
  ],
};

for (const [what, [one, other, wanted]] of Object.entries(files)) {
  test(`P3, K5: files of two RPM packages: ${what}`, async (t) => {
    const found = await problemsOf(t, 'rpm', (work) => [rpmWith(work, 'one', one), rpmWith(work, 'two', other)]);
    assert.equal(found.length, wanted === null ? 0 : 1, found.join('\n'));
    if (wanted !== null) assert.match(found[0] ?? '', wanted);
  });
}

test('K5: a package for all architectures may need one for a single architecture', async (t) => {
  const file = '/srv/shared/file';
  const found = await problemsOf(t, 'rpm', (work) => [
    rpmWith(work, 'engine', file, ['x86_64']),
    rpmWith(work, 'plugin', file, ['noarch', 'engine']),
    rpmWith(work, 'other', file, ['aarch64', 'engine']),
  ]);
  assert.deepEqual(found, ['installability: other-1-1.aarch64: needs engine, which nothing has']);
});

test('P3: only packages that one solution holds are told to conflict', async (t) => {
  for (const id of ['deb', 'rpm'] as const) {
    const make = (work: string) => {
      const samples: Partial<Sample>[] = [
        { name: 'one', requires: ['left'], files: { '/usr/share/tool': '1' } },
        { name: 'two', requires: ['right'], files: { '/usr/share/tool': '2' } },
        { name: 'left', fields: { Conflicts: 'right' } },
        { name: 'right' },
      ];
      return samples.map((one) => makePackage(id, work, { name: 'x', version: '1-1', ...one }));
    };
    assert.deepEqual(await problemsOf(t, id, make), []);
  }
});

/** What each one needs of python3 3.11, with `Multi-Arch: allowed`, and of perl 5, which says nothing of it. */
const needsOfAny: Readonly<Record<string, string | null>> = {
  'python3:any (>= 3.11)': null,
  'python3:any (>= 3.12)': 'python3:any',
  'perl:any': 'perl:any',
  'perl:any | python3:any (<< 3.12), interpreter:any': null,
};

for (const [needed, wanted] of Object.entries(needsOfAny)) {
  test(`K5: what DEB packages need of any architecture: ${needed}`, async (t) => {
    const allowed = { 'Multi-Arch': 'allowed', Provides: 'interpreter' };
    const found = await problemsOf(t, 'deb', (work) => [
      makePackage('deb', work, { name: 'python3', version: '3.11-1', fields: allowed }),
      makePackage('deb', work, { name: 'perl', version: '5-1' }),
      makePackage('deb', work, { name: 'tool', version: '1-1', requires: [needed] }),
    ]);
    assert.equal(found.length, wanted === null ? 0 : 1, found.join('\n'));
    if (wanted !== null)
      assert.ok(found[0]?.startsWith('installability: tool 1-1 ') && found[0].includes(wanted), found[0]);
  });
}

interface Deb {
  readonly name: string;
  readonly arch?: string;
  readonly fields?: readonly string[];
  readonly preinst?: string;
  readonly files: Readonly<Record<string, string>>;
}

async function debOf(
  work: string,
  { name, arch = 'amd64', fields = [], preinst, files: content }: Deb,
): Promise<string> {
  const root = await mkdtemp(join(work, 'deb-'));
  await mkdir(join(root, 'DEBIAN'));
  const control = [
    `Package: ${name}`,
    'Version: 1',
    `Architecture: ${arch}`,
    'Maintainer: A <a@example.org>',
    ...fields,
  ];
  await writeFile(join(root, 'DEBIAN/control'), [...control, 'Description: a package', ''].join('\n'));
  if (preinst !== undefined) await writeFile(join(root, 'DEBIAN/preinst'), `#!/bin/sh\n${preinst}\n`, { mode: 0o755 });
  for (const [path, text] of Object.entries(content)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await chmod(root, 0o755);
  const file = join(work, `${name}_1_${arch}.deb`);
  await must('dpkg-deb', ['--root-owner-group', '--build', root, file]);
  return file;
}

const shared = { name: 'libtool', fields: ['Multi-Arch: same'] };
const debs: Readonly<Record<string, readonly [readonly Deb[], readonly string[]]>> = {
  'one file of two contents in architectures that stand together': [
    [
      { ...shared, files: { '/usr/share/doc/libtool/readme': 'a', '/usr/share/same': 's' } },
      { ...shared, arch: 'arm64', files: { '/usr/share/doc/libtool/readme': 'b', '/usr/share/same': 's' } },
    ],
    [
      'conflict: libtool 1 (amd64) and libtool 1 (arm64): both bring /usr/share/doc/libtool/readme, which must be the same in all architectures',
    ],
  ],
  'architectures of one package that do not stand together': [
    [
      { name: 'tool', files: { '/usr/bin/tool': 'a' } },
      { name: 'tool', arch: 'arm64', files: { '/usr/bin/tool': 'b' } },
    ],
    [],
  ],
  'packages of two architectures': [
    [
      { name: 'one', files: { '/usr/bin/tool': 'a' } },
      { name: 'two', arch: 'arm64', files: { '/usr/bin/tool': 'b' } },
    ],
    [],
  ],
  'a file that one of them diverts': [
    [
      { name: 'one', files: { '/usr/bin/tool': 'a' } },
      {
        name: 'two',
        files: { '/usr/bin/tool': 'b' },
        preinst: 'dpkg-divert --package two --add --rename \\\n  --divert /usr/bin/tool.one /usr/bin/tool',
      },
    ],
    [],
  ],
  'a file beside one that is diverted': [
    [
      { name: 'one', files: { '/usr/bin/tool': 'a', '/usr/bin/tool.real': 'a' } },
      {
        name: 'two',
        files: { '/usr/bin/tool.real': 'b' },
        preinst: 'dpkg-divert --package two --add --rename /usr/bin/tool',
      },
    ],
    ['conflict: one 1 and two 1: both bring /usr/bin/tool.real'],
  ],
  'names that a list writes in other ways than they are, in architectures that stand together': [
    [
      { ...shared, files: { '/usr/lib/a\\x2db.slice': 'a', '/usr/share/ä -> b': 'a' } },
      { ...shared, arch: 'arm64', files: { '/usr/lib/a\\x2db.slice': 'b', '/usr/share/ä -> c': 'b' } },
    ],
    [
      'conflict: libtool 1 (amd64) and libtool 1 (arm64): both bring /usr/lib/a\\x2db.slice, which must be the same in all architectures',
    ],
  ],
  'a file where the other has a directory': [
    [
      { name: 'one', files: { '/usr/share/tool': 'a' } },
      { name: 'two', files: { '/usr/share/tool/data': 'b' } },
    ],
    ['conflict: one 1 and two 1: both bring /usr/share/tool'],
  ],
};

for (const [what, [samples, wanted]] of Object.entries(debs)) {
  test(`P3: files of DEB packages: ${what}`, async (t) => {
    assert.deepEqual(await problemsOf(t, 'deb', (work) => samples.map((one) => debOf(work, one))), wanted);
  });
}
