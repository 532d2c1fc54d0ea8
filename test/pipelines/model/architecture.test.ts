import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  architectureOf,
  debianName,
  foreignTo,
  hasArchitectures,
  rpmName,
  templatesFor,
} from '../../../pipelines/model/architecture.ts';

const rows: readonly [templates: readonly string[], arch: readonly string[] | undefined, wanted: readonly string[]][] =
  [
    [['deb-package'], undefined, ['deb-package']],
    [['deb-package'], ['amd64'], ['deb-package']],
    [['deb-package'], ['amd64', 'arm64'], ['deb-package', 'deb-package-arm64']],
    [
      ['rpm-package', 'own'],
      ['arm64', 'amd64'],
      ['rpm-package', 'own', 'rpm-package-arm64'],
    ],
    [['deb-package-quick-gate'], ['amd64', 'arm64'], ['deb-package-quick-gate', 'deb-package-arm64']],
    [
      ['deb-package', 'deb-package-arm64'],
      ['amd64', 'arm64'],
      ['deb-package', 'deb-package-arm64'],
    ],
    [
      ['own', 'constructor'],
      ['amd64', 'arm64'],
      ['own', 'constructor'],
    ],
  ];

for (const [templates, arch, wanted] of rows) {
  test(`a project with ${templates.join(', ')} for ${arch?.join(', ') ?? 'nothing more'} has ${wanted.join(', ')}`, () => {
    assert.deepEqual(templatesFor({ templates, arch }, 'amd64'), wanted);
  });
}

test('on a machine of another architecture, the templates are for the others', () => {
  const of = { templates: ['deb-package', 'rpm-package'], arch: ['amd64', 'arm64'] };
  const wanted = ['deb-package', 'rpm-package', 'deb-package-amd64', 'rpm-package-amd64'];
  assert.deepEqual(templatesFor(of, 'arm64'), wanted);
  assert.deepEqual(
    [foreignTo('amd64'), foreignTo('arm64'), foreignTo('riscv64')],
    [['arm64'], ['amd64'], ['amd64', 'arm64']],
  );
});

test('one architecture, by the names of Node, Debian and RPM', () => {
  assert.deepEqual(['x64', 'arm64', 'ia32', 'riscv64'].map(architectureOf), ['amd64', 'arm64', 'i386', 'riscv64']);
  for (const arch of ['amd64', 'arm64', 'riscv64']) assert.equal(debianName(rpmName(arch)), arch);
  assert.deepEqual(['x86_64', 'aarch64', 'amd64'].map(debianName), ['amd64', 'arm64', 'amd64']);
});

test('only a project with shipped templates says for which architectures it is built', () => {
  assert.ok(hasArchitectures(['own', 'rpm-package-quick-gate']));
  assert.ok(!hasArchitectures(['own', 'toString']));
});
