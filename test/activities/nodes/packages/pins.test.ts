import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { aptNode } from '../../../../activities/nodes/packages/deb.ts';
import type { NodeRepository, PackageManager } from '../../../../activities/nodes/packages/port.ts';
import { dnfNode } from '../../../../activities/nodes/packages/rpm.ts';

/** A package that is made: its version, and what it needs. */
type Made = readonly [name: string, version: string, needs?: string];

function homeOf(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'sluice-pins-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** What a node is told, as files below a root of its own. */
function configure(root: string, manager: PackageManager, repositories: readonly NodeRepository[]): void {
  for (const [path, text] of Object.entries(manager.configure(repositories))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function aptRepository(home: string, name: string, packages: readonly Made[]): NodeRepository {
  const root = join(home, name);
  const pool = join(root, 'dists/sid/main/binary-amd64');
  mkdirSync(pool, { recursive: true });
  for (const [called, version, needs] of packages) {
    const tree = join(home, `${called}-${version}`);
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
    const depends = needs === undefined ? '' : `Depends: ${needs}\n`;
    const control = `Package: ${called}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: a <a@b.c>\n${depends}`;
    writeFileSync(join(tree, 'DEBIAN/control'), `${control}Description: one\n`);
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, pool], { stdio: 'ignore' });
  }
  writeFileSync(join(pool, 'Packages'), execFileSync('apt-ftparchive', ['packages', 'dists'], { cwd: root }));
  const labels = ['Origin=Sluice test', 'Suite=sid', 'Codename=sid', 'Components=main', 'Architectures=amd64'];
  const options = labels.flatMap((label) => ['-o', `APT::FTPArchive::Release::${label}`]);
  const release = execFileSync('apt-ftparchive', [...options, 'release', 'dists/sid'], { cwd: root });
  writeFileSync(join(root, 'dists/sid/Release'), release);
  return { url: `file:${root}`, codename: 'sid', origin: 'Sluice test', kind: 'test' };
}

/** What apt would install, as `NAME VERSION`; or its complaint. */
function apt(home: string, repositories: readonly NodeRepository[], ...wanted: string[]): string {
  const root = join(home, 'root');
  rmSync(root, { recursive: true, force: true });
  for (const directory of [
    'etc/apt/apt.conf.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
    'var/lib/dpkg',
  ])
    mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, 'var/lib/dpkg/status'), '');
  configure(root, aptNode, repositories);
  const own = [
    '-o',
    `Dir=${root}`,
    '-o',
    `Dir::State::status=${root}/var/lib/dpkg/status`,
    '-o',
    'APT::Architecture=amd64',
  ];
  const options = [...own, '-o', 'APT::Architectures=amd64', '-o', 'APT::Sandbox::User=root'];
  execFileSync('apt-get', [...options, 'update'], { stdio: 'pipe' });
  const { stdout, stderr } = spawnSync('apt-get', [...options, '--simulate', 'install', ...wanted], {
    encoding: 'utf8',
  });
  const installs = [...stdout.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name} ${version}`);
  return installs.length > 0 ? installs.sort().join(', ') : stderr;
}

test('W2: apt installs what is under test though a neighbour’s test repository has a newer one of it', (t) => {
  const home = homeOf(t);
  const own = aptRepository(home, 'own', [
    ['tool', '1.0', 'lib (= 1.0), other'],
    ['lib', '1.0'],
  ]);
  const neighbour = aptRepository(home, 'neighbour', [
    ['lib', '1.1'],
    ['other', '2.0'],
  ]);
  const pins = [
    { name: 'tool', version: '1.0' },
    { name: 'lib', version: '1.0' },
  ];
  assert.match(apt(home, [own, neighbour], 'tool=1.0'), /held broken packages/, 'as it was without pins');
  assert.equal(apt(home, [{ ...own, pins }, neighbour], 'tool=1.0'), 'lib 1.0, other 2.0, tool 1.0');
  assert.equal(apt(home, [{ ...own, pins }, neighbour], 'lib'), 'lib 1.0');
});

function dnfRepository(home: string, name: string, packages: readonly Made[]): NodeRepository {
  const root = join(home, name);
  mkdirSync(root, { recursive: true });
  for (const [called, version, needs] of packages) {
    const spec = join(home, `${called}-${version}.spec`);
    const head = `Name: ${called}\nVersion: ${version}\nRelease: 1\nSummary: one\nLicense: MIT\nBuildArch: noarch\n`;
    writeFileSync(spec, `${head}${needs === undefined ? '' : `Requires: ${needs}\n`}%description\none\n%files\n`);
    const options = ['--define', `_topdir ${home}/build`, '--define', `_rpmdir ${root}`, '-bb', spec];
    execFileSync('rpmbuild', options, { stdio: 'ignore' });
  }
  execFileSync('createrepo_c', ['--quiet', root]);
  return { url: `file://${root}`, codename: '', origin: 'Sluice test', kind: 'test' };
}

/** What dnf would install of a package, as `NAME VERSION`. */
function dnf(home: string, repositories: readonly NodeRepository[], wanted: string, from?: 'released'): string {
  const root = join(home, 'root');
  rmSync(root, { recursive: true, force: true });
  configure(root, dnfNode, repositories);
  const place = [`--installroot=${root}`, `--setopt=reposdir=${root}/etc/yum.repos.d`, '--releasever=1'];
  const cache = [`--setopt=cachedir=${home}/cache`, `--setopt=logdir=${home}/log`, '--setopt=pluginpath=/nowhere'];
  writeFileSync(join(home, 'dnf.conf'), '[main]\n');
  for (const directory of ['cache', 'log']) mkdirSync(join(home, directory), { recursive: true });
  const how = from === undefined ? dnfNode.resolve : dnfNode.installReleased;
  const asked = how([{ name: wanted }])
    .slice(1)
    .map((word) => (word === '--assumeyes' ? '--assumeno' : word));
  const argv = ['-c', join(home, 'dnf.conf'), ...place, ...cache, ...asked];
  const { stdout, stderr } = spawnSync('dnf', argv, { encoding: 'utf8' });
  const rows = [...stdout.matchAll(/^ (\S+) +noarch +(\S+)-1 +sluice-/gm)].map(
    ([, name, version]) => `${name} ${version}`,
  );
  return rows.length > 0 ? rows.sort().join(', ') : `${stdout}${stderr}`;
}

test('W2: dnf installs what is under test though a neighbour’s test repository has a newer one of it', (t) => {
  const home = homeOf(t);
  const own = dnfRepository(home, 'own', [
    ['tool', '1.0', 'lib, other'],
    ['lib', '1.0'],
  ]);
  const neighbour = dnfRepository(home, 'neighbour', [
    ['lib', '1.1'],
    ['other', '2.0'],
  ]);
  const pins = [
    { name: 'tool', version: '1.0-1' },
    { name: 'lib', version: '1.0-1' },
  ];
  assert.match(dnf(home, [own, neighbour], 'tool-1.0-1.noarch'), /lib 1\.1/, 'as it was without pins');
  assert.equal(dnf(home, [{ ...own, pins }, neighbour], 'tool-1.0-1.noarch'), 'lib 1.0, other 2.0, tool 1.0');
});

test('what is under test is installed or nothing, never what was released before in its place', (t) => {
  const home = homeOf(t);
  const newer: Made = ['tool', '1.1', 'what-nobody-has'];
  const older: Made = ['tool', '1.0'];
  const apts = [aptRepository(home, 'own-deb', [newer]), aptRepository(home, 'released-deb', [older])] as const;
  assert.match(apt(home, [apts[0], { ...apts[1], kind: 'released' }], 'tool'), /held broken packages/);
  const dnfs = [dnfRepository(home, 'own-rpm', [newer]), dnfRepository(home, 'released-rpm', [older])] as const;
  const said = dnf(home, [dnfs[0], { ...dnfs[1], kind: 'released' }], 'tool');
  assert.match(said, /nothing provides what-nobody-has needed by tool-1\.1-1\.noarch/);
});

test('what a package under test needs is what is under test, or nothing: never what was released before', (t) => {
  const home = homeOf(t);
  const newer: readonly Made[] = [
    ['tool', '1.1', 'lib'],
    ['lib', '1.1', 'what-nobody-has'],
  ];
  const older: readonly Made[] = [
    ['tool', '1.0', 'lib'],
    ['lib', '1.0'],
  ];
  const names = ['tool', 'lib'];
  const released = 'released';
  const debs = [aptRepository(home, 'own-deb', newer), aptRepository(home, 'released-deb', older)] as const;
  assert.match(
    apt(
      home,
      [
        { ...debs[0], names },
        { ...debs[1], kind: released },
      ],
      'tool',
    ),
    /held broken packages/,
  );
  const [own, before] = [dnfRepository(home, 'own-rpm', newer), dnfRepository(home, 'released-rpm', older)];
  const was = { ...before, kind: released } as const;
  assert.equal(dnf(home, [own, was], 'tool'), 'lib 1.0, tool 1.1', 'as it was without names');
  const said = dnf(home, [{ ...own, names }, was], 'tool');
  assert.match(said, /nothing provides what-nobody-has needed by lib-1\.1-1\.noarch/);
  const ahead = [
    { ...own, pins: [{ name: 'tool', version: '1.1-1' }] },
    { ...was, kind: 'test' },
  ] as const;
  assert.equal(dnf(home, ahead, 'tool'), 'lib 1.0, tool 1.1', 'of what is ahead what the job has not itself');
  const both = [
    { name: 'tool', version: '1.1-1' },
    { name: 'lib', version: '1.1-1' },
  ];
  assert.match(
    dnf(
      home,
      [
        { ...own, pins: both },
        { ...was, kind: 'test' },
      ],
      'tool',
    ),
    /needed by lib-1\.1-1\.noarch/,
  );
  assert.equal(dnf(home, [{ ...own, names }, was], 'tool', 'released'), 'lib 1.0, tool 1.0');
});

test('dnf leaves out what is taken away though another repository has a package that is called so', (t) => {
  const home = homeOf(t);
  const own = dnfRepository(home, 'own', [
    ['tool', '1.0', 'lib'],
    ['lib-1.0-1', '1'],
  ]);
  const before = { ...dnfRepository(home, 'released', [['lib', '1.0']]), kind: 'released' } as const;
  assert.equal(dnf(home, [own, before], 'tool'), 'lib 1.0, tool 1.0');
  const without = [{ name: 'lib', version: '1.0-1' }];
  assert.match(
    dnf(home, [own, { ...before, without }], 'tool'),
    /lib-1\.0-1\.noarch .*filtered out by exclude filtering/,
  );
});
