import assert from 'node:assert/strict';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { fileIn, openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const changelog = (version: string, name = 'hello-gate') =>
  `${name} (${version}) unstable; urgency=low\n\n  * Upstream.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n`;

const rules = `#!/usr/bin/make -f
%:
	dh $@
override_dh_auto_install:
	grep ^Uid: /proc/self/status > who
	cat /proc/net/dev > net
	install -D hello debian/hello-gate/usr/bin/hello
	install -D -m 644 who net -t debian/hello-gate/usr/share/hello-gate
	install -D -m 644 data -t debian/hello-gate-data/usr/share/hello-gate
`;

const control = `Source: hello-gate
Section: misc
Priority: optional
Maintainer: Dev <dev@sluice.dev>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2

Package: hello-gate
Architecture: any
Depends: \${shlibs:Depends}, \${misc:Depends}, hello-gate-data (= \${source:Version})
Description: says hello
 It does.

Package: hello-gate-data
Architecture: all
Depends: \${misc:Depends}
Description: what is said
 Indeed.
`;

const program = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n';

const tree = {
  'hello.c': program,
  Makefile: 'hello: hello.c\n\t$(CC) -g $(CFLAGS) $< -o $@ $(LIBS)\nclean:\n\trm -f hello who net\n',
  data: 'hello\n',
  'debian/changelog': changelog('1:1.2-1ubuntu3'),
  'debian/control': control,
  'debian/rules': rules,
  'debian/source/format': '3.0 (quilt)\n',
};

/** With a dependency to be installed: that costs more than the build. */
const dependent = {
  ...tree,
  'hello.c': '#include <stdio.h>\n#include <zlib.h>\nint main(void) { puts(zlibVersion()); return 0; }\n',
  'debian/control': control.replace('(= 13)', '(= 13), zlib1g-dev'),
  'debian/rules': `${rules}export LIBS = -lz\n`,
};

test('a quilt package: versions from Git, orig generated alike, isolated build as a plain user', async () => {
  const repository = await workshop.repository('hello-gate');
  const first = await repository.commit('Import', dependent);
  await repository.commit('Say "more" <b>\n\nAt length.', { data: 'hello, world\n' });
  const [old, built, again] = await Promise.all([
    workshop.build(repository, { platform: 'debian-12', commit: first }),
    workshop.build(repository, { platform: 'debian-12' }),
    workshop.build(repository, { platform: 'debian-12' }),
  ]);
  assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
  assert.equal(built.result.summary, 'hello-gate 1:1.2+c2-1ubuntu3: 2 packages');
  assert.equal(old.manifest?.source.version, '1:1.2+c1-1ubuntu3');
  await must('dpkg', [
    '--compare-versions',
    old.manifest?.source.version ?? '',
    'lt',
    built.manifest?.source.version ?? '',
  ]);
  const digests = (each: typeof built) =>
    each.manifest?.files
      .map(({ name, digest }) => `${name} ${digest}`)
      .filter((line) => !/\.(?:buildinfo|changes) /.test(line));
  assert.deepEqual(digests(again), digests(built), 'the same commit gives the same bytes');
  const kinds = built.manifest?.files.map(({ name, kind }) => `${kind} ${name}`);
  assert.deepEqual(kinds, [
    'binary hello-gate-data_1.2+c2-1ubuntu3_all.deb',
    'debug hello-gate-dbgsym_1.2+c2-1ubuntu3_amd64.deb',
    'source hello-gate_1.2+c2-1ubuntu3.debian.tar.xz',
    'source hello-gate_1.2+c2-1ubuntu3.dsc',
    'metadata hello-gate_1.2+c2-1ubuntu3_amd64.buildinfo',
    'metadata hello-gate_1.2+c2-1ubuntu3_amd64.changes',
    'binary hello-gate_1.2+c2-1ubuntu3_amd64.deb',
    'source hello-gate_1.2+c2.orig.tar.gz',
  ]);
  const deb = join(built.out, 'hello-gate_1.2+c2-1ubuntu3_amd64.deb');
  assert.doesNotMatch(await fileIn(deb, 'usr/share/hello-gate/who'), /\t0\b/, 'not even under fakeroot');
  assert.doesNotMatch(await fileIn(deb, 'usr/share/hello-gate/net'), /eth0/);
  const { stdout } = await must('dpkg-deb', ['--field', deb, 'Version', 'Depends']);
  assert.match(stdout, /hello-gate-data \(= 1:1\.2\+c2-1ubuntu3\)/);
  assert.ok(built.manifest?.environment.packages.some((line) => line.startsWith('zlib1g-dev=')));
  assert.match(built.log, /== Build, without network/);
});

test('a speculative commit has the version that it keeps when it is merged', async () => {
  const repository = await workshop.repository('hello-gate');
  await repository.git('checkout', '-q', '-b', 'topic', 'HEAD~1');
  await repository.commit('On a topic', { extra: 'x\n' });
  await repository.git('checkout', '-q', 'main');
  await repository.git('merge', '-q', '--no-ff', '-m', 'Merge topic', 'topic');
  const built = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(built.manifest?.source.version, '1:1.2+c4-1ubuntu3');
});

test('a new upstream version starts the count anew; one that sorts below is refused with both', async () => {
  const repository = await workshop.repository('native');
  const small = { ...tree, 'debian/source/format': '3.0 (native)\n' };
  const native = (version: string) => changelog(version);
  await repository.commit('Import', { ...small, 'debian/changelog': native('2.0') });
  await repository.commit('More', { data: 'a\n' });
  await repository.commit('Release', { 'debian/changelog': native('2.1') });
  const raised = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(raised.manifest?.source.version, '2.1+c1');
  await repository.commit('Go back', { 'debian/changelog': native('2.0') });
  const lowered = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(lowered.result.result, 'FAILURE');
  assert.equal(
    lowered.result.summary,
    'debian/changelog: 2.0+c1 does not sort above 2.1+c1, which this branch had before',
  );
});

const refused: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly reason: RegExp;
}[] = [
  {
    what: 'an orig tarball in the tree',
    files: { 'deep/x_1.orig.tar.xz': '' },
    reason: /^deep\/x_1\.orig\.tar\.xz is an upstream tarball/,
  },
  { what: 'a tarball at the top', files: { 'x-1.tgz': '' }, reason: /^x-1\.tgz is an upstream tarball/ },
  {
    what: 'a compiler error',
    files: { 'hello.c': 'int main(void) { return x; }\n' },
    reason: /^build: hello\.c:1:\d+: error: .x. undeclared/,
  },
  {
    what: 'a build dependency that nobody has',
    files: { 'debian/control': control.replace('(= 13)', '(= 13), no-such-thing-dev') },
    reason: /^build dependencies cannot be met: no-such-thing-dev/,
  },
  {
    what: 'a hostile version',
    files: { 'debian/changelog': changelog('1.0-$HOME') },
    reason: /revision has a character/,
  },
  {
    what: 'a hostile name',
    files: { 'debian/changelog': changelog('1.0-1', '../evil') },
    reason: /first line must be/,
  },
  {
    what: 'a tree that fills the disk',
    files: { data: 'x'.repeat(100 * 1024 * 1024) },
    reason: /^source tree: the disk is full: the build may use 96 MiB/,
  },
  {
    what: 'a build that fills the disk',
    files: { 'debian/rules': `${rules}override_dh_auto_build:\n\tdd if=/dev/zero of=big bs=1M count=2000\n` },
    reason: /the disk is full: the build may use 96 MiB/,
  },
  {
    what: 'a build that starts more processes than it may have',
    files: {
      'debian/rules': `${rules}override_dh_auto_build:\n\tfor one in $$(seq 300); do sleep 60 >/dev/null 2>&1 & done; wait\n`,
    },
    reason: /: no other process can be started: it may have 200 processes and threads \(the platform's pids\)$/,
  },
];

for (const { what, files, reason } of refused) {
  test(`refused, with the reason in one line: ${what}`, async () => {
    const repository = await workshop.repository(`refused-${refused.findIndex((row) => row.what === what)}`);
    await repository.commit('Import', { ...tree, ...files });
    const { result, log } = await workshop.build(repository, {
      platform: 'debian-12',
      limits: { diskMiB: 96, pids: 200 },
    });
    assert.equal(result.result, /disk/.test(what) ? 'DISK_FULL' : 'FAILURE', log);
    assert.match(result.summary, reason);
    assert.doesNotMatch(result.summary, /\n/);
  });
}

test('files with hostile names are built like any other', async () => {
  const repository = await workshop.repository('names');
  const odd = { '-rf': 'a', 'a b': 'b', 'q\'"$(id)': 'c', 'new\nline': 'd' };
  await repository.commit('Import', { ...tree, ...odd });
  const { result, log } = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(result.result, 'SUCCESS', log);
});

test('an abort ends the build and leaves no container', async () => {
  const repository = await workshop.repository('slow');
  await repository.commit('Import', { ...tree, 'debian/rules': `${rules}override_dh_auto_build:\n\tsleep 300\n` });
  const signal = AbortSignal.timeout(8_000);
  await assert.rejects(workshop.build(repository, { platform: 'debian-12', signal }), /aborted|timeout/i);
  const { stdout } = await must('docker', ['ps', '--all', '--format', '{{.Label "sluice.build"}}']);
  assert.doesNotMatch(stdout, new RegExp(`^test-build-${process.pid}-`, 'm'));
});

for (const [says, applied] of [
  ['applied, as unpacking a source package leaves them', true],
  ['not applied, as people keep them in Git', false],
] as const) {
  test(`quilt patches may be ${says}`, async () => {
    const repository = await workshop.repository(`patched-${applied}`);
    const patch = ['--- a/data', '+++ b/data', '@@ -1 +1 @@', '-hello', '+hello, patched', ''].join('\n');
    await repository.commit('Import', {
      ...tree,
      'debian/patches/series': '# what differs\nsay-more.patch -p1\n',
      'debian/patches/say-more.patch': patch,
      data: applied ? 'hello, patched\n' : 'hello\n',
    });
    const built = await workshop.build(repository, { platform: 'debian-12' });
    assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
    const data = join(built.out, 'hello-gate-data_1.2+c1-1ubuntu3_all.deb');
    assert.equal(await fileIn(data, 'usr/share/hello-gate/data'), 'hello, patched\n');
    const orig = join(built.out, 'hello-gate_1.2+c1.orig.tar.gz');
    const { stdout } = await must('tar', ['--extract', '--to-stdout', '--file', orig, 'hello-gate-1.2+c1/data']);
    assert.equal(stdout, 'hello\n', 'the upstream tarball has it without the patch');
  });
}

test('P12, P13, P5: all that is in the commit is in the package, whatever its name, and `debian` may be a link', async () => {
  const repository = await workshop.repository('whole');
  const moved = Object.entries(tree).map(([path, text]) => [path.replace(/^debian\//, 'packaging/debian/'), text]);
  const odd = {
    'old.o': 'o',
    'docs/source/debian/index.rst': 'i',
    '.gitattributes': 'who export-subst\n',
    who: '$Format:%H$',
  };
  const old = Buffer.from(`  * L\xe9on.\n`, 'latin1');
  await repository.commit('Import', { ...Object.fromEntries(moved), ...odd, 'packaging/debian/a~': 'a' });
  const log = join(repository.path, 'packaging/debian/changelog');
  await writeFile(log, Buffer.concat([await readFile(log), Buffer.from('\n'), old]));
  await symlink('packaging/debian', join(repository.path, 'debian'));
  await symlink('../../data', join(repository.path, 'packaging/debian/notes'));
  await symlink('source/first', join(repository.path, 'latest'));
  await writeFile(Buffer.from(`${repository.path}/caf\xe9`, 'latin1'), 'c');
  const commit = await repository.commit('Link', {});
  const built = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
  assert.equal(built.manifest?.source.version, '1:1.2+c2-1ubuntu3');
  const unpack = ['--extract', '--to-stdout', '--file', join(built.out, 'hello-gate_1.2+c2.orig.tar.gz')];
  const upstream = await must('tar', [...unpack, 'hello-gate-1.2+c2/who', 'hello-gate-1.2+c2/docs']);
  assert.equal(upstream.stdout, `i${commit}`);
  const links = await must('tar', ['--list', '--verbose', '--file', join(built.out, 'hello-gate_1.2+c2.orig.tar.gz')]);
  assert.match(links.stdout, /latest -> source\/first$/m, 'P13: what a link says stays as it is');
  const packaging = join(built.out, 'hello-gate_1.2+c2-1ubuntu3.debian.tar.xz');
  const { stdout } = await must(
    'tar',
    ['--extract', '--to-stdout', '--file', packaging, 'debian/changelog', 'debian/a~'],
    {
      encoding: 'latin1',
    },
  );
  assert.ok(stdout.includes(old.toString('latin1')), 'P7: old entries stay as they are');
});

test('P12: a package of format 1.0 keeps what its diff cannot hold: empty files, links and programs below debian/', async () => {
  const repository = await workshop.repository('old-format');
  const { 'debian/source/format': _, ...old } = tree;
  await repository.commit('Import', { ...old, 'debian/docs': '', 'debian/run': '#!/bin/sh\n' });
  await symlink('changelog', join(repository.path, 'debian', 'news'));
  await repository.commit('Link', {});
  const { result, out } = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(result.result, 'SUCCESS', result.summary);
  const { stdout } = await must('tar', ['--list', '--file', join(out, 'hello-gate_1.2+c2.orig.tar.gz')]);
  const packed = stdout.split('\n').filter((name) => /\/debian\/./.test(name));
  assert.ok(
    packed.some((name) => name.endsWith('/debian/docs')),
    stdout,
  );
  assert.ok(
    packed.some((name) => name.endsWith('/debian/news')),
    stdout,
  );
  assert.ok(!packed.some((name) => name.endsWith('/debian/changelog')), 'the diff still tells what is the packaging');
});

test('P1: a source that also builds a package for the installer is built, and its kind is told', async () => {
  const repository = await workshop.repository('installer');
  const more = `${control}\nPackage: hello-udeb\nPackage-Type: udeb\nArchitecture: any\nDescription: x\n`;
  await repository.commit('Import', { ...tree, 'debian/control': more });
  const { result, manifest } = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(result.result, 'SUCCESS', result.summary);
  const installer = manifest?.files.filter(({ kind }) => kind === 'installer').map(({ name }) => name);
  assert.deepEqual(installer, ['hello-udeb_1.2+c1-1ubuntu3_amd64.udeb']);
  const ordinary = manifest?.files.filter(({ kind }) => kind === 'binary').map((file) => file.package);
  assert.deepEqual(ordinary?.sort(), ['hello-gate', 'hello-gate-data']);
});
