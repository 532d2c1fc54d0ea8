import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BuildStageDeps } from '../../../activities/build/deps.ts';
import { versionFault as judge } from '../../../pipelines/policy/version-policy.ts';
import { type Built, openWorkshop, type Workshop } from './workshop.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop();
});
after(() => workshop.close());

const changelog =
  'other (1.0) unstable; urgency=low\n\n  * First.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n';
const control = (architecture: string) =>
  `Source: other\nMaintainer: Dev <dev@sluice.dev>\n\nPackage: other\nArchitecture: ${architecture}\nDescription: other\n`;
const spec = (tag: string) =>
  `Name: other\nVersion: 1.0\nRelease: 1\nSummary: Other\nLicense: MIT\n${tag}\n\n%description\nOther.\n\n%files\n`;

test('P9: a DEB package that leaves the platform out is skipped, and says why', async () => {
  const repository = await workshop.repository('other-deb');
  const debian = { 'debian/changelog': changelog, 'debian/source/format': '3.0 (native)\n' };
  await repository.commit('Import', { ...debian, 'debian/control': control('armhf hurd-any') });
  const { result, manifest, log } = await workshop.build(repository, { platform: 'debian-12' });
  assert.equal(result.result, 'SKIPPED', log);
  assert.equal(result.summary, 'excluded: its packages are for armhf, hurd-any, and the platform is amd64');
  assert.equal(manifest, null);
});

test('P9: an RPM package that leaves the platform out is skipped, and says why', async () => {
  const repository = await workshop.repository('other-rpm');
  const cases = [
    ['ExclusiveArch: aarch64', 'excluded: ExclusiveArch leaves out x86_64'],
    ['ExcludeArch: x86_64', 'excluded: ExcludeArch leaves out x86_64'],
    ['BuildArch: aarch64', 'excluded: BuildArch has no architecture that can be built here'],
  ] as const;
  for (const [tag, reason] of cases) {
    await repository.commit(tag, { 'other.spec': spec(tag) });
    const { result, log } = await workshop.build(repository, { platform: 'rpm-debian-12' });
    assert.deepEqual([result.result, result.summary], ['SKIPPED', reason], log);
  }
  await repository.commit('Here', { 'other.spec': spec('ExclusiveArch: %{ix86} x86_64 aarch64') });
  const { result, log } = await workshop.build(repository, { platform: 'rpm-debian-12' });
  assert.equal(result.result, 'SUCCESS', log);
});

test('what a build for another architecture makes for every one is left out, be it by rules that know no difference, but not where nothing else makes it', async () => {
  const repository = await workshop.repository('lib');
  const rules = [
    ...['#!/usr/bin/make -f', 'build build-arch build-indep clean binary-indep:', 'binary binary-arch:'],
    '\tfor p in lib lib-common; do mkdir -p debian/$$p/DEBIAN && dpkg-gencontrol -p$$p -Pdebian/$$p && dpkg-deb --build debian/$$p ..; done\n',
  ];
  await repository.commit('Import', {
    'debian/changelog': changelog.replace(/^other/, 'lib'),
    'debian/source/format': '3.0 (native)\n',
    'debian/control': `${control('any').replaceAll('other', 'lib')}\nPackage: lib-common\nArchitecture: all\nDescription: all\n`,
    'debian/rules': rules.join('\n'),
  });
  const on = { platform: 'debian-12', primary: 'debian-12' };
  const alone = await workshop.build(repository, on);
  assert.equal(alone.result.result, 'SUCCESS', alone.log);
  assert.deepEqual(made(alone), ['binary lib', 'binary lib-common', 'source lib'], 'that one left itself out');
  const beside = await workshop.build(repository, { ...on, parents: alone.result.artifacts });
  assert.equal(beside.result.result, 'SUCCESS', beside.log);
  assert.deepEqual(made(beside), ['binary lib'], beside.log);
  const again = await workshop.build(repository, { ...on, again: { whole: false } });
  assert.deepEqual(made(again), ['binary lib'], 'a release builds again what it was of in the gate');
});

/** What a build made, each once. */
function made({ manifest }: Built): readonly string[] {
  const files = manifest?.files.filter(({ kind }) => kind !== 'metadata') ?? [];
  return [...new Set(files.map((file) => `${file.kind} ${file.package}`))].toSorted();
}

test('an RPM build for another architecture makes the source and noarch packages where nothing else does, and none that the first did not make', async () => {
  const repository = await workshop.repository('noarch');
  const common = '%package common\nSummary: All\nBuildArch: noarch\n%description common\nAll.\n%files common\n';
  await repository.commit('Import', { 'other.spec': `${spec('')}${common}` });
  const on = { platform: 'rpm-debian-12', primary: 'rpm-debian-12' };
  const alone = await workshop.build(repository, on);
  assert.equal(alone.result.result, 'SUCCESS', alone.log);
  assert.deepEqual(made(alone), ['binary other', 'binary other-common', 'source other']);
  const again = await workshop.build(repository, { ...on, again: { whole: false } });
  assert.deepEqual(made(again), ['binary other'], 'a release builds again what it was of in the gate');
  const { manifest } = alone;
  const without = { ...manifest, files: manifest?.files.filter(({ arch }) => arch !== 'noarch') };
  const { digest } = await workshop.store.put(JSON.stringify(without));
  const parents = alone.result.artifacts.map((one) => ({ ...one, metadata: { ...one.metadata, manifest: digest } }));
  const { result, log } = await workshop.build(repository, { ...on, parents });
  assert.equal(result.result, 'FAILURE', log);
  assert.match(
    result.summary,
    /^other-common-.*\.noarch\.rpm is for every architecture, and the build on \S+ made none$/,
  );
});

test('a spec whose only package with files is for every architecture is not built for another one', async () => {
  const repository = await workshop.repository('only-common');
  const common = '%package common\nSummary: All\nBuildArch: noarch\n%description common\nAll.\n%files common\n';
  await repository.commit('Import', { 'other.spec': spec('').replace('%files\n', common) });
  const { result, log } = await workshop.build(repository, { platform: 'rpm-debian-12', primary: 'first' });
  const reason = 'excluded: all its packages are for every architecture: they are built on first, not on rpm-debian-12';
  assert.deepEqual([result.result, result.summary], ['SKIPPED', reason], log);
});

test('V5: a version that its line does not take fails before anything is compiled, with the version that is asked about', async () => {
  const asked: unknown[] = [];
  const versionFault: BuildStageDeps['versionFault'] = (of) => {
    asked.push(of);
    return 'not like this';
  };
  const repository = await workshop.repository('misnamed');
  const debian = { 'debian/changelog': changelog, 'debian/source/format': '3.0 (native)\n' };
  await repository.commit('Import', { ...debian, 'debian/control': control('all'), 'other.spec': spec('') });
  for (const platform of ['debian-12', 'rpm-debian-12']) {
    const { result, log } = await workshop.build(repository, { platform, versionFault });
    assert.deepEqual([result.result, result.summary], ['FAILURE', 'not like this'], log);
    assert.doesNotMatch(log, /Build, without network/);
  }
  const about = { platform: 'debian-12', branch: 'main' };
  assert.deepEqual(asked, [
    { ...about, format: 'deb', version: '1.0+c1' },
    { ...about, format: 'rpm', platform: 'rpm-debian-12', version: '1.0-1.deb12.1' },
  ]);
});

test('V5: binary packages are held to it as well: one with a version of its own fails, named', async () => {
  const line = (name: string, platform: string) => {
    return { name, platforms: [platform], codename: '', versions: 'security' as const };
  };
  const rules = { codename: '', lines: [line('deb-security', 'debian-12'), line('rpm-security', 'rpm-debian-12')] };
  const versionFault: BuildStageDeps['versionFault'] = (of) => judge(rules, of);
  const debian = (own: string) => ({
    'debian/changelog': changelog.replace('(1.0)', '(1.2.0.1)'),
    'debian/source/format': '3.0 (native)\n',
    'debian/control': control('all').replace('\n\n', '\nBuild-Depends: debhelper-compat (= 13)\n\n'),
    'debian/rules': `#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_gencontrol:\n\tdh_gencontrol -- -v${own}\n`,
  });
  const rpm = (own: string) => ({
    'other.spec': `${spec('BuildArch: noarch').replace('1.0', '1.2.0.1')}
%package data
Version: ${own}
Summary: Data
%description data
Data.
%files data
`,
  });
  const asks = '`versions: security` asks for BASE.0.N, such as 1.2.0.1 after 1.2';
  const cases = [
    ['debian-12', debian('3:5.6-1'), `other: the version 5.6 is none of the line deb-security: ${asks}`],
    ['debian-12', debian('3:1.2.0.1-1+b2'), null],
    ['rpm-debian-12', rpm('5.6'), `other-data: the version 5.6 is none of the line rpm-security: ${asks}`],
    ['rpm-debian-12', rpm('1.2.0.3'), null],
  ] as const;
  const repository = await workshop.repository('own-versions');
  for (const [platform, files, fault] of cases) {
    await repository.commit('Change', { ...files });
    const { result, log } = await workshop.build(repository, { platform, versionFault });
    const expected = fault === null ? ['SUCCESS', true] : ['FAILURE', false];
    assert.deepEqual([result.result, result.summary !== fault], expected, log);
  }
});
