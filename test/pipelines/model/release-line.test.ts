import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LineOf, lineOf, type ReleaseRules, separatesDebug } from '../../../pipelines/model/release-line.ts';

const rules: ReleaseRules = {
  codename: 'bookworm',
  lines: [
    { name: 'deb-trixie', platforms: ['debian-13', 'hardened-13'], codename: 'trixie' },
    { name: 'deb-security', platforms: ['debian-12'], branches: ['security/**'], codename: 'bookworm-security' },
    {
      name: 'trixie-security',
      platforms: ['debian-13'],
      branches: ['security/*', 'hotfix'],
      codename: 'trixie-security',
    },
    { name: 'rpm-13', platforms: ['rpm-debian-13'], codename: '' },
  ],
};

const rows: readonly [format: LineOf['format'], platform: string, branch: string, expected: string][] = [
  ['deb', 'debian-12', 'main', 'deb bookworm'],
  ['deb', 'debian-12', 'security/1.0/urgent', 'deb-security bookworm-security'],
  ['deb', 'debian-13', 'main', 'deb-trixie trixie'],
  ['deb', 'hardened-13', 'security/1.0', 'deb-trixie trixie'],
  ['deb', 'debian-13', 'security/1.0', 'trixie-security trixie-security'],
  ['deb', 'debian-13', 'security/1.0/urgent', 'deb-trixie trixie'],
  ['deb', 'debian-13', 'hotfix', 'trixie-security trixie-security'],
  ['deb', 'unknown', 'hotfix', 'deb bookworm'],
  ['rpm', 'rpm-debian-12', 'main', 'rpm '],
  ['rpm', 'rpm-debian-13', '', 'rpm-13 '],
];

test('a released repository is chosen by platform and branch, the branch first', () => {
  const found = rows.map(([format, platform, branch]) => {
    const { repository, codename } = lineOf(rules, { format, platform, branch });
    return [format, platform, branch, `${repository} ${codename}`];
  });
  assert.deepEqual(found, rows);
});

test('without lines each format has one released repository', () => {
  const none = { codename: 'trixie', lines: [] };
  assert.deepEqual(lineOf(none, { format: 'deb', platform: 'debian-12', branch: 'x' }), {
    repository: 'deb',
    codename: 'trixie',
  });
  assert.deepEqual(lineOf(none, { format: 'rpm', platform: 'any', branch: 'x' }), { repository: 'rpm', codename: '' });
});

test('debug packages are apart where the line says so, else where all do', () => {
  const [line] = rules.lines;
  assert.ok(line);
  const apart = (debug: ReleaseRules['debug'], own: ReleaseRules['debug']) => {
    const lines = [{ ...line, ...(own === undefined ? {} : { debug: own }) }];
    const given = { ...rules, lines, ...(debug === undefined ? {} : { debug }) };
    return ['deb-trixie', 'deb'].map((repository) => separatesDebug(given, repository));
  };
  assert.deepEqual(apart(undefined, undefined), [false, false]);
  assert.deepEqual(apart(undefined, 'separate'), [true, false]);
  assert.deepEqual(apart('separate', undefined), [true, true]);
  assert.deepEqual(apart('separate', 'together'), [false, true]);
});
