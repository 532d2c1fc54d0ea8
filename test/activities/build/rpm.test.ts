import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { type Built, fileIn, openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const patch = '--- a/say\n+++ b/say\n@@ -1 +1 @@\n-hello\n+patched\n';

const noarch = `%global upstream 1.2
Name: talk
Epoch: 3
Version: %{upstream}
Release: 4%{?dist}
Summary: Talks
License: MIT
BuildArch: noarch
URL: https://talk.test
Source0: %{url}/%{name}-%{version}.tar.xz
Source1: talk.conf
Source2: talk.macros
%{load:%{SOURCE2}}
Patch1: say.patch
BuildRequires: make, /usr/bin/gettext, pkgconfig(zlib) >= 1.2, (no-such-thing or perl(strict))

%description
It %{talks}.

%sourcelist
listed.conf

%package extra
Summary: More talk
Requires: %{name} = %{epoch}:%{version}-%{release}

%description extra
More.

%prep
%autosetup -p1

%install
grep ^Uid: /proc/self/status > who
cat /proc/net/dev > net
install -D -m 644 -o root -g root say %{buildroot}%{_datadir}/talk/say
install -m 644 who net %{SOURCE1} %{buildroot}%{_datadir}/talk/
install -D -m 644 say %{buildroot}%{_datadir}/talk/extra

%files
%{_datadir}/talk
%exclude %{_datadir}/talk/extra

%files extra
%{_datadir}/talk/extra

%changelog
* Mon Jan 06 2025 Dev <dev@sluice.dev> - 3:1.2-4
- Old.
`;

const talk = {
  say: 'hello\n',
  'packaging/talk.spec': noarch,
  'packaging/talk.conf': 'loud\n',
  'packaging/talk.macros': '%talks talks\n',
  'packaging/listed.conf': 'listed\n',
  'docs/source/debian/index.rst': 'left out elsewhere\n',
  'packaging/say.patch': patch,
};

test('P9, P12: a noarch package with subpackage, a list of sources, macros from one of them, epoch, patch and generated archive; spec in a folder', async () => {
  const repository = await workshop.repository('talk');
  const first = await repository.commit('Import', talk);
  await repository.commit('Use %{x} "quoted"', { more: 'x\n' });
  const [old, built, again] = await Promise.all([
    workshop.build(repository, { platform: 'rpm-debian-12', commit: first }),
    workshop.build(repository, { platform: 'rpm-debian-12' }),
    workshop.build(repository, { platform: 'rpm-debian-12' }),
  ]);
  assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
  assert.equal(built.manifest?.source.version, '3:1.2-4.deb12.2');
  assert.equal(old.manifest?.source.version, '3:1.2-4.deb12.1');
  const names = built.manifest?.files.map(({ name, kind }) => `${kind} ${name}`);
  assert.deepEqual(
    names,
    [
      'source talk-1.2-4.deb12.2.src.rpm',
      'binary talk-1.2-4.deb12.2.noarch.rpm',
      'binary talk-extra-1.2-4.deb12.2.noarch.rpm',
    ].sort((a, b) => ((a.split(' ')[1] ?? '') < (b.split(' ')[1] ?? '') ? -1 : 1)),
  );
  const digests = (each: Built) => each.manifest?.files.map(({ digest }) => digest);
  assert.deepEqual(digests(again), digests(built), 'the same commit gives the same bytes');
  const rpm = join(built.out, 'talk-1.2-4.deb12.2.noarch.rpm');
  assert.equal(await fileIn(rpm, 'usr/share/talk/say'), 'patched\n');
  assert.doesNotMatch(await fileIn(rpm, 'usr/share/talk/who'), /\t0\b/, 'not even under fakeroot');
  assert.doesNotMatch(await fileIn(rpm, 'usr/share/talk/net'), /eth0/);
  const { stdout } = await must('rpm', ['-qp', '--nosignature', '--changelog', rpm]);
  assert.match(
    stdout,
    /^\* .* Dev Eloper <dev@sluice\.dev> - 3:1\.2-4\.deb12\.2\n- [0-9a-f]{12} Use %\{x\} "quoted" \[Dev Eloper\]/,
  );
  assert.match(stdout, /- Old\./);
  const source = join(built.out, 'talk-1.2-4.deb12.2.src.rpm');
  assert.equal(await fileIn(source, 'listed.conf'), 'listed\n');
});

const refused: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly reason: RegExp;
}[] = [
  {
    what: 'build requirements that nothing provides, each by name',
    files: {
      'packaging/talk.spec': noarch.replace('make,', 'nowhere-devel, pkgconfig(nowhere) >= 2, zlib-devel >= 99,'),
    },
    reason:
      /^BuildRequires that no package provides: (?=.*nowhere-devel)(?=.*pkgconfig\(nowhere\) >= 2)(?=.*zlib-devel >= 99)/,
  },
  {
    what: 'a source that is not in the tree',
    files: { 'packaging/talk.spec': noarch.replace('talk.conf', 'other.conf') },
    reason: /Source1 other\.conf is not in the tree$/,
  },
  {
    what: 'P12: a spec whose macros write into the tree',
    files: { 'packaging/talk.spec': noarch.replace('Summary: Talks', 'Summary: Talks%(echo other > say)') },
    reason: /^the source package differs from the commit: it has another say$/,
  },
  {
    what: 'a tarball in the packaging folder',
    files: { 'packaging/talk-1.2.tar.xz': '' },
    reason: /^packaging\/talk-1\.2\.tar\.xz is an upstream tarball/,
  },
  {
    what: 'a spec that rpm cannot read',
    files: { 'packaging/talk.spec': noarch.replace('%description\n', '%descriptoin\n') },
    reason: /^packaging\/talk\.spec: error: /,
  },
  {
    what: 'a hostile name',
    files: { 'packaging/talk.spec': noarch.replace('Name: talk', "Name: ../t'alk") },
    reason: /is no package name$/,
  },
  {
    what: 'a file of %files that was not made',
    files: { 'packaging/talk.spec': noarch.replace('%files extra', '/usr/bin/talk\n%files extra') },
    reason: /File not found: .*\/usr\/bin\/talk$/,
  },
];

for (const { what, files, reason } of refused) {
  test(`refused, with the reason in one line: ${what}`, async () => {
    const repository = await workshop.repository(`talk-${refused.findIndex((row) => row.what === what)}`);
    await repository.commit('Import', { ...talk, ...files });
    const { result, log } = await workshop.build(repository, { platform: 'rpm-debian-12' });
    assert.equal(result.result, 'FAILURE', log);
    assert.match(result.summary, reason);
  });
}

const library = `Name: libvoice
Version: 1
Release: 1%{?dist}
Summary: Voice
License: MIT
Source0: libvoice-1.tar.gz
BuildRequires: gcc
%description
Voice.
%package devel
Summary: Headers
Requires: %{name} = %{version}-%{release}, zlib-devel
%description devel
Headers.
%prep
%setup -q
%build
gcc -g -shared -fPIC -Wl,-soname,libvoice.so.1 -o libvoice.so.1 voice.c
%install
install -D libvoice.so.1 %{buildroot}%{_libdir}/libvoice.so.1
ln -s libvoice.so.1 %{buildroot}%{_libdir}/libvoice.so
install -D -m 644 voice.h %{buildroot}%{_includedir}/voice.h
%files
%{_libdir}/libvoice.so.1
%files devel
%{_libdir}/libvoice.so
%{_includedir}/voice.h
`;

const consumer = `Name: singer
Version: 1
Release: 1%{?dist}
Summary: Sings
License: MIT
Source0: singer-1.tar.gz
BuildRequires: gcc, libvoice-devel
%description
Sings.
%prep
%setup -q
%build
gcc -g -o singer singer.c -lvoice -lz
./singer
%install
install -D singer %{buildroot}%{_bindir}/singer
%files
%{_bindir}/singer
`;

test('a -devel package of an offered repository is a build dependency, with what it needs of Debian', async () => {
  const voice = await workshop.repository('libvoice');
  await voice.commit('Import', {
    'libvoice.spec': library,
    'voice.c': 'int sing(void) { return 0; }\n',
    'voice.h': '#include <zlib.h>\nint sing(void);\n',
  });
  const built = await workshop.build(voice, { platform: 'rpm-debian-12' });
  assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
  const server = await serve(built);
  try {
    const singer = await workshop.repository('singer');
    await singer.commit('Import', {
      'singer.spec': consumer,
      'singer.c': '#include <voice.h>\nint main(void) { return sing(); }\n',
    });
    const released = { url: server.url, codename: '', origin: 'x', kind: 'released' } as const;
    const result = await workshop.build(singer, { platform: 'rpm-debian-12', released });
    assert.equal(result.result.result, 'SUCCESS', result.result.summary + result.log);
    assert.deepEqual(result.manifest?.environment.repositories, [server.url]);
    const rpm = join(result.out, 'singer-1-1.deb12.1.x86_64.rpm');
    const { stdout } = await must('rpm', ['-qp', '--nosignature', '--requires', rpm]);
    assert.match(stdout, /^libvoice\.so\.1\(\)\(64bit\)$/m);
  } finally {
    await server.close();
  }
});

/** A repository of what was built, where containers reach it. */
async function serve({ out }: Built) {
  const root = join(workshop.root, 'repository');
  await mkdir(root);
  const { stdout: listed } = await must('find', [out, '-maxdepth', '1', '-name', '*.x86_64.rpm']);
  for (const path of listed.trim().split('\n')) await copyFile(path, join(root, path.split('/').pop() ?? ''));
  await must('createrepo_c', ['--quiet', root]);
  const server = createServer((request, response) => {
    const stream = createReadStream(join(root, new URL(request.url ?? '/', 'http://x').pathname));
    stream.on('error', () => response.writeHead(404).end());
    stream.on('open', () => stream.pipe(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { stdout } = await must('docker', [
    'network',
    'inspect',
    'bridge',
    '--format',
    '{{(index .IPAM.Config 0).Gateway}}',
  ]);
  const url = `http://${stdout.trim() || '172.17.0.1'}:${(server.address() as AddressInfo).port}`;
  return { url, close: () => new Promise((resolve) => server.close(resolve)) };
}
