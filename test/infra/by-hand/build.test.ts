import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { must, run } from '../../../activities/process/run.ts';

const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const spec = `Name: tiny
Version: 1.0
Release: 1%{?dist}
Summary: Tiny
License: MIT
BuildArch: noarch
Source0: tiny
%description
Tiny.
%install
install -D %{SOURCE0} %{buildroot}/usr/bin/tiny
%files
/usr/bin/tiny
`;
let root: string;
let source: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'by-hand-'));
  source = join(root, 'tiny tree');
  await mkdir(source);
  await writeFile(join(source, 'tiny.spec'), spec);
  for (const folder of ['a', 'b']) {
    await mkdir(join(root, folder));
    await writeFile(join(root, folder, 'x.deb'), 'text');
  }
  await writeFile(join(source, 'tiny'), '#!/bin/sh\necho tiny\n', { mode: 0o755 });
});
after(() => rm(root, { recursive: true }));

const sluice = (...args: string[]) => run(process.execPath, [main, ...args], { cwd: root });

test('a directory without history: packages, logs, lint, JUnit and provenance come out', async () => {
  const result = await sluice('build', source, '--platform', 'rpm-debian-12', '--out', 'plain', '--json');
  assert.equal(result.code, 0, result.stderr);
  const { version, files } = JSON.parse(result.stdout);
  assert.equal(version, '1.0-1.deb12');
  assert.deepEqual(files, ['tiny-1.0-1.deb12.noarch.rpm', 'tiny-1.0-1.deb12.src.rpm']);
  const out = (name: string) => readFile(join(root, 'plain', name), 'utf8');
  const statements = (await out('tiny.intoto.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    statements.map(({ subject }) => subject[0].name),
    files,
  );
  assert.match(await out('junit.xml'), /<testsuite name="build rpm-debian-12"/);
  assert.equal(JSON.parse(await out('lint.json')).platform, 'rpm-debian-12');
  assert.match(await out('logs/build.log'), /Build, without network/);
  const lint = await sluice('lint', 'plain/tiny-1.0-1.deb12.noarch.rpm', '--json');
  assert.equal(lint.code, JSON.parse(lint.stdout).failures > 0 ? 1 : 0);
});

test('with history, the commit is built and not what lies around; a failed build is exit 1 with its reason', async () => {
  const git = (...args: string[]) =>
    must('git', ['-c', 'user.name=D', '-c', 'user.email=d@sluice.dev', ...args], { cwd: source });
  await git('init', '-q', '-b', 'main');
  await git('add', '-A');
  await git('commit', '-q', '-m', 'Import');
  await writeFile(join(source, 'tiny.spec'), spec.replace('/usr/bin/tiny\n%files', '/usr/bin/other\n%files'));
  const good = await sluice('build', source, '--platform', 'rpm-debian-12', '--out', 'good', '--json');
  assert.equal(good.code, 0, good.stderr);
  assert.equal(JSON.parse(good.stdout).version, '1.0-1.deb12.1');
  assert.match(good.stderr, /1 uncommitted change is not built/);
  await git('commit', '-q', '-a', '-m', 'Break');
  const bad = await sluice('build', source, '--platform', 'rpm-debian-12', '--out', 'bad');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /FAILURE: build: .*File not found: .*\/usr\/bin\/tiny/);
});

const misuses: readonly { readonly what: string; readonly args: readonly string[]; readonly says: RegExp }[] = [
  {
    what: 'an unknown platform',
    args: ['build', '.', '--platform', 'amiga'],
    says: /there are debian-12, rpm-debian-12/,
  },
  { what: 'no source', args: ['build', 'nowhere', '--platform', 'debian-12'], says: /neither a directory nor the URL/ },
  {
    what: 'a ref without history',
    args: ['build', '.', '--ref', 'x', '--platform', 'rpm-debian-12'],
    says: /no Git history/,
  },
  {
    what: 'an output directory that is a file',
    args: ['build', 'tiny tree', '--platform', 'rpm-debian-12', '--out', 'a/x.deb'],
    says: /--out: .*x\.deb is not a directory/,
  },
  { what: 'one name twice', args: ['lint', 'a/x.deb', 'b/x.deb'], says: /x\.deb is given twice/ },
  { what: 'no package', args: ['lint', 'none.deb'], says: /none\.deb: no such file/ },
];

for (const { what, args, says } of misuses) {
  test(`bad usage: ${what}`, async () => {
    const { code, stderr } = await sluice(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  });
}
