import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excludedTests, testExclusions } from '../../../pipelines/test-service/exclusions.ts';

const list = testExclusions.parse({
  'almalinux-8': { httpd: ['p_httpd', 'php.sh'], perl: ['p_perl'], 'httpd-tools': ['php.sh', 'tools.bats'] },
  'almalinux-8.5': { httpd: ['p_ssl'] },
  'debian-12': { httpd: ['never.sh'] },
});
const of = (dist_name: string, dist_version: string | number, package_name: string) =>
  excludedTests(list, { dist_name, dist_version, package_name });

test('A-064: a package is spared the tests of all beginnings of its name, for its distribution alone', () => {
  assert.deepEqual(of('almalinux', 8, 'httpd'), ['p_httpd', 'php.sh']);
  assert.deepEqual(of('almalinux', '8', 'httpd-tools-debug'), ['p_httpd', 'php.sh', 'tools.bats']);
  assert.deepEqual(of('almalinux', '8.5', 'httpd'), ['p_ssl', 'p_httpd', 'php.sh']);
  assert.deepEqual(of('almalinux', '8', 'mod_httpd'), []);
  assert.deepEqual(of('fedora', '8', 'httpd'), []);
});

test('A-064: what is no such list is none', () => {
  for (const wrong of [null, [], { 'debian-12': ['x'] }, { 'debian-12': { hello: 'x' } }])
    assert.equal(testExclusions.safeParse(wrong).success, false);
});
