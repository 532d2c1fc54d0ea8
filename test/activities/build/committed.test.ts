import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pointerOf } from '../../../activities/build/committed.ts';
import { compare, judge } from '../../../activities/build/deb/complete.ts';
import { follow } from '../../../activities/build/links.ts';
import { locate, openSource, readSourceBytes } from '../../../activities/build/source.ts';
import { upstreamTarball } from '../../../activities/build/upstream-tarball.ts';
import { exportTree } from '../../../activities/git/export.ts';
import { git } from '../../../activities/git/git.ts';
import { must } from '../../../activities/process/run.ts';
import { bareRepository, makeCommit, scratch } from '../git/repository.ts';

const head = (version: string) =>
  `x (${version}) unstable; urgency=low\n\n  * Upstream.\n\n -- D <d@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n`;
const control = `Source: x\nMaintainer: D <d@sluice.dev>\nStandards-Version: 4.6.2\n\nPackage: x\nArchitecture: all\nDescription: x\n`;

async function write(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d'.repeat(32)}\nsize 12345\n`;

test('P5: pointers of LFS, annex and fat are told from texts about them', () => {
  const key = 'SHA256E-s5--2cf24dba.bin';
  const rows: readonly (readonly [string, string | undefined])[] = [
    [pointer, 'Git LFS'],
    [pointer.replace('oid', `ext-0-a sha256:${'00'.repeat(32)}\noid`), 'Git LFS'],
    [`See ${pointer}`, undefined],
    [pointer + 'x'.repeat(1024), undefined],
    ['version https://git-lfs.github.com/spec/v1\n', undefined],
    [`../.git/annex/objects/Xx/yY/${key}/${key}`, 'git-annex'],
    [`/annex/objects/${key}\n`, 'git-annex'],
    [`see /annex/objects/${key}\n`, undefined],
    ['../annex/objects/readme', undefined],
    [`#$# git-fat ${'ab'.repeat(20)}                 1234\n`, 'git-fat'],
    [`#$# git-fat ${'ab'.repeat(20)} 1234\nmore\n`, undefined],
  ];
  for (const [text, who] of rows) assert.equal(pointerOf(text)?.who, who, text);
});

test('P5: a pointer that is meant as such is built', async (t) => {
  const { directory } = await exported(t, { '.gitattributes': 'tests/*.bin -filter\n', 'tests/a.bin': pointer });
  assert.ok((await openSource(directory)).paths.includes('tests/a.bin'));
});

test('P5: a file that git-annex keeps elsewhere is refused by name', async (t) => {
  const tree = join(await scratch(t), 'tree');
  await write(tree, { a: 'a' });
  await mkdir(join(tree, 'data'));
  await symlink('../.git/annex/objects/Xx/yY/KEY/KEY', join(tree, 'data/big'));
  await assert.rejects(openSource(tree), /^BuildProblem: data\/big is a git-annex pointer: /);
});

test('P5, P7: names that are not UTF-8 stay as they are, and are looked into as all others', async (t) => {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'p');
  const name = Buffer.from('caf\xe9[1]?.py', 'latin1');
  const blob = async (input: string) => (await git(repo, ['hash-object', '-w', '--stdin'], { input })).trim();
  const commitOf = async (text: string) => {
    const entries = [
      [`100644 blob ${await blob('*.py export-subst\n')}\t`, '.gitattributes'],
      [`100644 blob ${await blob(text)}\t`, name],
    ];
    const input = Buffer.concat(
      entries.flat().flatMap((part, at) => [Buffer.from(part), Buffer.from(at % 2 ? '\0' : '')]),
    );
    const tree = (await git(repo, ['mktree', '-z'], { input })).trim();
    return (await git(repo, ['commit-tree', tree], { input: 'Names\n', env: who })).trim();
  };
  const open = async (commit: string) => {
    const directory = join(root, commit);
    await exportTree({ repo, commit, branch: 'main', directory });
    return { directory, source: await openSource(directory) };
  };
  const commit = await commitOf('$Format:%H$\n');
  const { directory, source } = await open(commit);
  assert.deepEqual(source.paths, ['.gitattributes', 'caf\ufffd[1]?.py']);
  assert.equal(await readFile(Buffer.concat([Buffer.from(`${directory}/`), name]), 'utf8'), `${commit}\n`);
  await assert.rejects(open(await commitOf(pointer)), /^BuildProblem: caf\ufffd\[1\]\?\.py is a Git LFS pointer/);
});

const who = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((each) => [
    [`GIT_${each}_NAME`, 'Ada'],
    [`GIT_${each}_EMAIL`, 'ada@example.org'],
  ]),
);

async function exported(t: TestContext, files: Readonly<Record<string, string>>) {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'p');
  const commit = await makeCommit(repo, { files });
  const directory = join(root, 'copy');
  await exportTree({ repo, commit, branch: 'main', directory });
  return { repo, commit, directory };
}

test('P5: a tree with a Git LFS pointer is refused by name', async (t) => {
  const { directory } = await exported(t, { '.gitattributes': '*.bin filter=lfs -text\n', 'data/a b.bin': pointer });
  await assert.rejects(openSource(directory), /^BuildProblem: data\/a b\.bin is a Git LFS pointer: /);
});

test('P5: export-subst is expanded as git archive does; export-ignore leaves nothing out', async (t) => {
  const version = 'v = "$Format:%H %s%n$"; w = "$Format:%an$"\n';
  const { repo, commit, directory } = await exported(t, {
    '.gitattributes':
      '/sub/version.* export-subst\nplain -export-subst\n/hidden export-ignore\n/hidden/* export-subst\n',
    'sub/version.py': version,
    plain: version,
    'hidden/v': version,
    debian: 'no folder\n',
  });
  const source = await openSource(directory);
  const archived = await git(repo, ['archive', '--format=tar', commit, 'sub/version.py'], { encoding: 'latin1' });
  const text = await readFile(join(directory, 'sub/version.py'), 'utf8');
  assert.ok(archived.includes(text), 'as git archive');
  assert.equal(text, `v = "${commit} Change something\n"; w = "Ada"\n`);
  assert.equal(await readFile(join(directory, 'plain'), 'utf8'), version);
  assert.match(await readFile(join(directory, 'hidden/v'), 'utf8'), new RegExp(commit));
  assert.ok(source.paths.includes('hidden/v'));
});

test('P5: links inside the tree are followed, out of it refused', async (t) => {
  const tree = join(await scratch(t), 'tree');
  await write(tree, {
    'packaging/debian/changelog': head('1.0'),
    'packaging/debian/control': control,
    'packaging/debian/source/format': '1.0',
    'a/CHANGES': 'x',
  });
  for (const [link, target] of [
    ['debian', 'packaging/debian'],
    ['packaging/debian/docs', '../../a/CHANGES'],
    ['packaging/debian/source/more', '../../../a/CHANGES'],
    ['packaging/debian/source/own', '../control'],
    ['packaging/debian/source/out', '../../../../x'],
    ['a/up', '../a/../packaging'],
    ['a/out', '../../tree/a/CHANGES'],
    ['a/root', '/etc/passwd'],
    ['a/loop', 'loop'],
    ['a/gone', 'nothing'],
  ] as const) {
    await symlink(target, join(tree, link));
  }
  assert.deepEqual(await follow(tree, 'a/up/debian/docs'), { at: 'tree', path: 'a/CHANGES' });
  assert.deepEqual(await follow(tree, 'a/out'), { at: 'outside', link: 'a/out' });
  assert.deepEqual(await follow(tree, 'a/root'), { at: 'outside', link: 'a/root' });
  assert.deepEqual(await follow(tree, '../tree'), { at: 'outside', link: '../tree' });
  for (const path of ['a/loop', 'a/gone', 'none/x']) assert.deepEqual(await follow(tree, path), { at: 'nowhere' });
  const source = await openSource(tree);
  assert.ok(source.paths.includes('debian/changelog'), 'debian is a folder now');
  const moved = { docs: '../a/CHANGES', 'source/more': '../../a/CHANGES', 'source/own': '../control' };
  for (const [path, target] of Object.entries({ ...moved, 'source/out': '../../../../x' })) {
    assert.equal(await readlink(join(tree, 'debian', path)), target, path);
  }
  assert.deepEqual(await locate(source, 'debian/changelog', 'absent'), {
    path: 'debian/changelog',
    committed: 'packaging/debian/changelog',
  });
  assert.equal((await readSourceBytes(source, 'debian/changelog'))?.toString(), head('1.0'));
  await assert.rejects(locate(source, 'a/root', 'absent'), /a\/root is a link that leads out of the tree/);
  await assert.rejects(locate(source, 'a/gone', 'absent'), /absent/);
});

test('P4: an upstream tarball is told by its place', () => {
  const rows: readonly (readonly [string, readonly string[], readonly string[], boolean])[] = [
    ['spec/fixtures/sample.tar.gz', ['debian/control', 'spec/a_spec.rb'], [], false],
    ['spec/sample.tar.gz', ['debian/control'], [], false],
    ['spec/sample.tar.gz', ['spec/x.spec'], ['spec/x.spec'], true],
    ['spec/fixtures/sample.tar.gz', ['spec/x.spec'], ['spec/x.spec'], false],
    ['sources/level1.tar.gz', ['debian/control'], [], false],
    ['SOURCES/x-1.tar.gz', ['SPECS/x.spec'], ['SPECS/x.spec'], true],
    ['rpm/SOURCES/x-1.tar.gz', ['rpm/x.spec'], ['rpm/x.spec'], true],
    ['x-1.tgz', [], [], true],
    ['debian/x-1.tar.xz', ['debian/changelog'], [], true],
    ['packaging/debian/x-1.tar.xz', ['packaging/debian/changelog'], [], true],
    ['debian/tests/data.tar.gz', ['debian/changelog'], [], false],
    ['deep/x_1.orig.tar.xz', [], [], true],
    ['t/data/x_1.tar.xz', [], [], false],
    ['tests/x_1.orig.tar.xz', [], [], false],
    ['examples.tar.gz', ['debian/changelog', 'main.c'], [], false],
    ['examples.tar.gz', ['debian/changelog', 'README.md', '.gitignore'], [], true],
    ['x-1.0.tar.gz', ['debian/changelog', 'main.c'], [], true],
    ['data.tar.gz', ['x.spec', 'main.c'], ['x.spec'], true],
  ];
  for (const [path, others, specs, refused] of rows) {
    assert.equal(upstreamTarball([path, ...others], specs), refused ? path : undefined, `${path} ${others}`);
  }
});

test('P12: what the source package lacks, changes or adds is named', () => {
  assert.deepEqual(judge('', false), { problem: null, notes: [] });
  const many = ['a.o', 'b c', 'd', 'e', 'f', 'g'].map((name) => `lacks ${name}\0`).join('');
  assert.equal(
    judge(`${many}changes x\0turns z\0adds y\0`, false).problem,
    'the source package differs from the commit: it does not have a.o, "b c", d, e, f and 1 more; it has another x; it has another mode of z; it has besides y',
  );
  assert.deepEqual(judge('lacks a.o\0', true), {
    problem: null,
    notes: ['left out, as debian/source/options asks: a.o'],
  });
});

const patch = '--- a/data\n+++ b/data\n@@ -1 +1 @@\n-old\n+new\n--- /dev/null\n+++ b/more\n@@ -0,0 +1 @@\n+more\n';

for (const { what, version, files, keep, differs } of [
  {
    what: 'a native package, with what dpkg-source leaves out by itself',
    version: '1.0',
    files: { 'debian/source/format': '3.0 (native)\n', 'a.o': 'o', 'lib/b.so': 's', '.gitattributes': 'x', 'c~': 'c' },
    keep: false,
    differs: 'lacks .gitattributes\0lacks a.o\0lacks c~\0lacks lib/b.so\0',
  },
  {
    what: 'a native package',
    version: '1.0',
    files: { 'debian/source/format': '3.0 (native)\n', 'a.o': 'o', 'lib/b.so': 's', '.gitattributes': 'x', 'c~': 'c' },
    keep: true,
    differs: '',
  },
  {
    what: 'a quilt package with patches that are not applied, and folders called debian',
    version: '1.0-1',
    files: {
      'debian/source/format': '3.0 (quilt)\n',
      'debian/patches/series': 'p\n',
      'debian/patches/p': patch,
      'debian/a.o': 'o',
      'debian/files': 'x',
      'docs/source/debian/index.rst': 'i',
      data: 'old\n',
    },
    keep: true,
    differs: '',
  },
  {
    what: 'a package of format 1.0 with an empty file below debian',
    version: '1.0-1',
    files: { 'debian/empty': '', 'debian/run': '#!/bin/sh\n', data: 'old\n', 'docs/source/debian/index.rst': 'i' },
    keep: true,
    differs: 'lacks debian/empty\0turns debian/run\0',
  },
]) {
  test(`P12, P13: the trees of ${what} are compared`, async (t) => {
    const root = await scratch(t);
    await write(join(root, 'commit'), { 'debian/changelog': head(version), 'debian/control': control, ...files });
    await write(join(root, 'commit'), { 'debian/rules': '#!/usr/bin/make -f\n' });
    for (const path of ['debian/rules', ...Object.keys(files).filter((one) => one.endsWith('/run'))]) {
      await chmod(join(root, 'commit', path), 0o755);
    }
    await symlink('no  ./where', join(root, 'commit', 'link'));
    const work = join(root, 'work');
    await mkdir(work);
    await cp(join(root, 'commit'), join(work, 'source'), { recursive: true, verbatimSymlinks: true });
    const pack = (argv: readonly string[]) => must(argv[0] ?? '', argv.slice(1), { cwd: work, env: { HOME: root } });
    if (version.includes('-')) {
      const names = ['--anchored', '--exclude=source/debian', '--transform=s,^source,x-1.0,', 'source'];
      await pack(['tar', '--create', '--gzip', '--file=x_1.0.orig.tar.gz', ...names]);
    }
    await pack(['dpkg-source', ...(keep ? ['--tar-ignore=.git'] : []), '--build', 'source']);
    await pack(['dpkg-source', '--extract', `x_${version}.dsc`, 'tree']);
    await writeFile(join(root, 'compare'), compare);
    const { stdout } = await pack(['sh', join(root, 'compare'), join(root, 'commit'), `x_${version}.dsc`]);
    assert.equal(stdout, differs);
  });
}
