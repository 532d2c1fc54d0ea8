import assert from 'node:assert/strict';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { ensureImages } from '../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { openWorkshop, type Workshop } from '../activities/build/workshop.ts';
import { leasing, stageContext, stageInput, stageWorld } from '../activities/install/stage.ts';

// By hand, for images take half an hour to make: SLUICE_PLATFORMS names those of another architecture, separated by commas.
const named = process.env.SLUICE_PLATFORMS?.split(',') ?? ['debian-12-arm64'];
const platforms = builtInPlatforms.filter(({ name, primary }) => named.includes(name) && primary !== undefined);

let workshop: Workshop;
before(async () => {
  await ensureImages(platforms, (line) => process.stderr.write(`${line}\n`));
  workshop = await openWorkshop();
});
after(() => workshop.close());

const control = `Source: tiny
Section: misc
Priority: optional
Maintainer: Dev <dev@sluice.dev>
Rules-Requires-Root: no

Package: tiny
Architecture: any
Depends: \${shlibs:Depends}, tiny-common (= \${source:Version})
Description: says hello
 It does.
`;

const common = `
Package: tiny-common
Architecture: all
Description: what every machine has of it
 A text.
`;

/** Without debhelper, which takes its time where it is emulated. */
const rules = `#!/usr/bin/make -f
pack = mkdir -p debian/$(1)/DEBIAN && dpkg-gencontrol -p$(1) -Pdebian/$(1) -Tdebian/$(1).substvars && \\
  dpkg-deb --root-owner-group --build debian/$(1) ..
build build-arch build-indep: tiny
tiny: tiny.c
	$(CC) -O2 $< -o $@
clean:
	rm -rf tiny debian/tiny debian/tiny-common debian/files debian/*.substvars
binary: binary-arch binary-indep
binary-arch: build
	install -D tiny debian/tiny/usr/bin/tiny
	dpkg-shlibdeps -Tdebian/tiny.substvars tiny
	$(call pack,tiny)
binary-indep: build
	install -D -m 644 text debian/tiny-common/usr/share/tiny/text
	$(call pack,tiny-common)
`;

const spec = (tag: string, of = 'BuildArch: noarch\n') => `Name: tiny
Version: 1.0
Release: 1%{?dist}
Summary: Says hello
License: MIT
Source0: tiny.c
Source1: text
${tag}

%description
It does.

%package common
Summary: What every machine has of it
${of}
%description common
A text.

%build
gcc -O2 -g %{SOURCE0} -o tiny

%install
install -D tiny %{buildroot}%{_bindir}/tiny
install -D -m 644 %{SOURCE1} %{buildroot}%{_datadir}/tiny/text

%files
%{_bindir}/tiny

%files common
%{_datadir}/tiny
`;

const program = { 'tiny.c': '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n', text: 'hello\n' };
const samples: Readonly<Record<PackageFormat, Readonly<Record<string, string>>>> = {
  deb: {
    ...program,
    'debian/changelog':
      'tiny (1.0) unstable; urgency=low\n\n  * First.\n\n -- Dev <dev@sluice.dev>  Mon, 06 Jan 2025 00:00:00 +0000\n',
    'debian/control': control + common,
    'debian/rules': rules,
    'debian/source/format': '3.0 (native)\n',
  },
  rpm: { ...program, 'tiny.spec': spec('') },
};

const patience = () => AbortSignal.timeout(3_600_000);

for (const { name, format, codename, arch, primary = '' } of platforms) {
  const shared = format === 'deb' ? /^tiny-common_.*_all\.deb$/ : /^tiny-common-.*\.noarch\.rpm$/;

  test(`${name}: a package is built for ${arch}, what is for every architecture once, and all of it is installed`, async (t) => {
    const repository = await workshop.repository(`tiny-${name}`);
    await repository.commit('Import', samples[format]);
    const first = await workshop.build(repository, { platform: primary });
    assert.equal(first.result.result, 'SUCCESS', first.result.summary + first.log);
    const parents = first.result.artifacts;
    const begin = performance.now();
    const built = await workshop.build(repository, { platform: name, parents, signal: patience() });
    assert.equal(built.result.result, 'SUCCESS', built.result.summary + built.log);
    t.diagnostic(`${built.result.summary} in ${Math.round((performance.now() - begin) / 1000)} s`);
    const own = (built.manifest?.files ?? []).filter(({ kind }) => kind === 'binary' || kind === 'source');
    assert.deepEqual([...new Set(own.map((file) => file.arch))], [arch], 'no source, nothing for every architecture');
    const taken = built.manifest?.common?.files ?? [];
    assert.deepEqual(
      taken,
      first.manifest?.files.filter((file) => shared.test(file.name)),
    );
    assert.equal(taken.length, 1);

    const world = { ...(await stageWorld(t)), codename: () => (format === 'deb' ? codename : '') };
    const store = createFileBlobStore({ root: join(workshop.root, 'storage'), baseUrl: 'http://storage.test' });
    const onIt = { nodes: [{ name: 'node', label: name }], parents: [...parents, ...built.result.artifacts] };
    const publish = createPublishStage({ ...world, store });
    const published = await publish(stageInput(format, onIt), await stageContext(t));
    assert.equal(published.result, 'SUCCESS', published.summary);
    assert.equal(published.artifacts.length, 1, 'that of the other platform has a job of its own');
    if (format === 'deb') {
      const [tree = ''] = await readdir(world.root);
      const lists = await readdir(join(world.root, tree, 'dists', codename, 'main'));
      assert.ok(lists.includes(`binary-${arch}`), lists.join());
    }

    const tree = join(world.directory, 'tree');
    await mkdir(tree);
    const sources = (_: unknown, directory: string) => cp(tree, directory, { recursive: true });
    const install = leasing(createInstallStage({ ...world, store, released: async () => [], sources }));
    const tried = await stageContext(t);
    const installed = await install(stageInput(format, { ...onIt, parents: published.artifacts }), tried);
    assert.equal(installed.result, 'SUCCESS', installed.summary + tried.said());
    t.diagnostic(installed.summary);
  });

  test(`${name}: where all is for every architecture nothing is built, and where nothing is for ${arch} it is skipped`, async () => {
    const repository = await workshop.repository(`other-${name}`);
    const others = arch === 'arm64' || arch === 'aarch64' ? ['amd64', 'x86_64'] : ['arm64', 'aarch64'];
    const excluding = {
      deb: { 'debian/control': control.replace('any', others[0] ?? '') },
      rpm: { 'tiny.spec': spec(`ExclusiveArch: ${others[1]}`) },
    };
    await repository.commit('Import', { ...samples[format], ...excluding[format] });
    const { result } = await workshop.build(repository, { platform: name, signal: patience() });
    assert.deepEqual([result.result, result.summary.split(':')[0]], ['SKIPPED', 'excluded'], result.summary);

    const independent = {
      deb: { 'debian/control': control.replace('any', 'all') + common },
      rpm: { 'tiny.spec': spec('BuildArch: noarch', '').replace(/^gcc.*/m, 'cp %{SOURCE1} tiny') },
    };
    await repository.commit('For all', independent[format]);
    const alone = await workshop.build(repository, { platform: name, signal: patience() });
    assert.deepEqual([alone.result.result, alone.manifest], ['SKIPPED', null], alone.log);
    assert.match(alone.result.summary, new RegExp(`they are built on ${primary}, not on ${name}$`));
    const first = await workshop.build(repository, { platform: primary });
    assert.equal(first.result.result, 'SUCCESS', first.log);
    const parents = first.result.artifacts;
    const taken = await workshop.build(repository, { platform: name, parents, signal: patience() });
    assert.equal(taken.result.result, 'SUCCESS', taken.log);
    assert.deepEqual([taken.manifest?.files, taken.manifest?.common?.files.length], [[], 2]);
    assert.doesNotMatch(taken.log, /Build dependencies/);
  });
  test(`${name}: a noarch package that differs between architectures fails the build`, {
    skip: format === 'deb',
  }, async () => {
    const repository = await workshop.repository(`differs-${name}`);
    const differing = spec('').replaceAll('%{_datadir}/tiny', '%{_datadir}/tiny-%{_arch}');
    await repository.commit('Import', { ...samples.rpm, 'tiny.spec': differing });
    const { result, artifacts: parents } = (await workshop.build(repository, { platform: primary })).result;
    assert.equal(result, 'SUCCESS');
    const built = await workshop.build(repository, { platform: name, parents, signal: patience() });
    assert.equal(built.result.result, 'FAILURE', built.log);
    const said = new RegExp(
      `^tiny-common-.*\\.noarch\\.rpm is for every architecture, and differs from that built on ${primary}: only `,
    );
    assert.match(built.result.summary, said);
  });
}
