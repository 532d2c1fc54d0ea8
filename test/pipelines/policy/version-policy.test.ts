import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must, run } from '../../../activities/process/run.ts';
import { buildVersion } from '../../../pipelines/formats/deb/build-version.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { versionFault } from '../../../pipelines/policy/version-policy.ts';

const rules = {
  codename: 'bookworm',
  lines: (['security', 'hotfix'] as const).flatMap((versions) => [
    { name: `deb-${versions}`, platforms: ['d'], branches: [`${versions}/*`], codename: 'b', versions },
    { name: `rpm-${versions}`, platforms: ['r'], branches: [`${versions}/*`], codename: '', versions },
  ]),
};

function fault(format: PackageFormat, branch: string, version: string): string | null {
  return versionFault(rules, { format, platform: format === 'deb' ? 'd' : 'r', branch, version });
}

const rows: readonly [format: PackageFormat, branch: string, version: string, fits: boolean][] = [
  ['deb', 'main', '1.2-1', true],
  ['deb', 'security/1.2', '1.2.0.1-1', true],
  ['deb', 'security/1.2', '2:1.2.0.11+c4-1', true],
  ['deb', 'security/1.2', '1.2.0.1~rc1+c1', true],
  ['deb', 'security/1.2', '3:1.2.0.1-1+b2', true],
  ['deb', 'security/1.2', '3:5.6-1+b2', false],
  ['deb', 'security/1.2', '1.2-1', false],
  ['deb', 'security/1.2', '1.2.1.0-1', false],
  ['deb', 'security/1.2', '1.2.0.0-1', false],
  ['deb', 'security/1.2', '1.2-1.0.1', false],
  ['deb', 'hotfix/1.2', '1.2.1.0-1', true],
  ['deb', 'hotfix/1.2', '1.2.10.0+c1-0.1', true],
  ['deb', 'hotfix/1.2', '1.2.0.1-1', false],
  ['deb', 'hotfix/1.2', '1.2.0.0', false],
  ['deb', 'hotfix/1.2', '1.0', false],
  ['rpm', 'security/9.1p1', '9.1p1.0.1-1.deb12.3', true],
  ['rpm', 'security/1', '1-1.0.1', false],
  ['rpm', 'hotfix/1', '1:1.1.0-1.deb12.3', true],
];

test('V5: a line that says so takes versions of security updates or hotfixes alone', () => {
  assert.deepEqual(
    rows.map(([format, branch, version]) => [format, branch, version, fault(format, branch, version) === null]),
    rows,
  );
  assert.equal(
    fault('deb', 'security/1.2', '1.2+c7-1'),
    'the version 1.2 is none of the line deb-security: `versions: security` asks for BASE.0.N, such as 1.2.0.1 after 1.2',
  );
});

const ascending = ['1.2', '1.2.0.1', '1.2.0.2', '1.2.0.10', '1.2.1.0', '1.2.2.0', '1.2.10.0', '1.3', '1.3.0.1'];
const pairs = ascending.slice(1).map((later, at) => [ascending[at] ?? '', later] as const);

test('V5: dpkg sorts base, security, hotfix and next base in this order, whatever the number of commits', async () => {
  for (const [earlier, later] of pairs) {
    const versions = [buildVersion(`${earlier}-3`, 120), 'lt', buildVersion(`${later}-1`, 1)];
    const { code } = await run('dpkg', ['--compare-versions', ...versions]);
    assert.equal(code, 0, versions.join(' '));
  }
});

test('V5: so does rpm', async () => {
  for (const [earlier, later] of pairs) {
    const lua = `%{lua: print(rpm.vercmp('${earlier}-3.deb12.120', '${later}-1.deb12.1'))}`;
    assert.equal((await must('rpm', ['--eval', lua])).stdout.trim(), '-1', `${earlier} < ${later}`);
  }
});
