import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Platform } from '../../../pipelines/model/platform.ts';
import { isBelow } from '../../../pipelines/test-service/allowed.ts';
import { testJob } from '../../../pipelines/test-service/job.ts';
import { machineOf, platformFor } from '../../../pipelines/test-service/platform.ts';
import { taskOf, testRequest } from '../../../pipelines/test-service/request.ts';
import { isGood, testResult } from '../../../pipelines/test-service/result.ts';
import { tapPasses } from '../../../pipelines/test-service/tap.ts';

const platform = (name: string, arch: string, more: Partial<Platform> = {}): Platform => ({
  ...{ name, arch, format: 'deb', codename: 'x', buildImage: 'b', testImage: 't', images: 'pull' },
  ...{ buildRequires: 'native', limits: { cpus: 1, memoryMiB: 512, pids: 100, diskMiB: 100 } },
  ...more,
});
const platforms = [
  platform('debian-12', 'amd64'),
  platform('debian-12-arm64', 'arm64'),
  platform('almalinux-8', 'x86_64', { format: 'rpm' }),
  platform('ubuntu-20.04', 'amd64'),
  platform('debian-13', 'amd64', { provider: 'vm' }),
  platform('almalinux-8-minimal-2', 'x86_64', { format: 'rpm' }),
  platform('almalinux-8-beta-x86_64', 'x86_64', { format: 'rpm' }),
];
const asked = { dist_name: 'debian', dist_version: '12', dist_arch: 'x86_64', package_name: 'hello' };
const request = (more: object = {}) => testRequest.parse({ ...asked, ...more });
const withEnvironment = (test_env: object) => ({ test_configuration: { tests: [], test_env } });
const taskFor = (more: object) => taskOf(request(more), { id: 'one', platform: 'debian-12' });

const choices: readonly (readonly [asked: object, found: string | undefined])[] = [
  [{}, 'debian-12'],
  [{ dist_arch: 'amd64' }, 'debian-12'],
  [{ dist_arch: 'i686' }, 'debian-12'],
  [{ dist_arch: 'aarch64' }, 'debian-12-arm64'],
  [{ dist_version: 12 }, 'debian-12'],
  [{ dist_name: 'almalinux', dist_version: '8.5' }, 'almalinux-8'],
  [{ dist_name: 'ubuntu', dist_version: '20.04' }, 'ubuntu-20.04'],
  [{ dist_version: '13' }, 'debian-13'],
  [{ dist_version: '13', runner_type: 'opennebula' }, 'debian-13'],
  [{ dist_version: '13', runner_type: 'docker' }, undefined],
  [{ dist_arch: 's390x' }, undefined],
  [{ dist_name: 'fedora' }, undefined],
  [
    { dist_name: 'almalinux', dist_version: 8, test_flavor: { name: 'minimal', version: '2' } },
    'almalinux-8-minimal-2',
  ],
  [{ dist_name: 'almalinux', dist_version: 8, test_flavor: { name: 'minimal', version: '3' } }, undefined],
  [{ dist_name: 'almalinux', dist_version: 8, package_channel: 'beta' }, 'almalinux-8-beta-x86_64'],
  [{ dist_name: 'almalinux', dist_version: 8, package_channel: 'stable', test_flavor: null }, 'almalinux-8'],
  [{ package_channel: 'beta' }, undefined],
];
for (const [more, found] of choices) {
  test(`A-031 A-032 A-033 A-034 A-052: ${JSON.stringify(more)} runs on ${found ?? 'nothing'}`, () => {
    assert.equal(platformFor(platforms, request(more))?.name, found);
  });
}

test('A-011 A-054: which workers a task goes to follows from its architecture', () => {
  for (const arch of ['x86_64', 'amd64', 'i686', 'i386', 'i486', 'i586', 'x86_64_v2']) {
    assert.equal(machineOf(arch), 'amd64');
  }
  assert.deepEqual(['aarch64', 'arm64'].map(machineOf), ['arm64', 'arm64']);
  assert.deepEqual(['ppc64le', 's390x', 'riscv64'].map(machineOf), ['ppc64el', 's390x', 'riscv64']);
});

test('A-010 A-036 A-037 A-052: a request has package, version with epoch, and repositories by either name', () => {
  const repositories = [{ url: 'https://one.example/deb' }, { name: 'two', baseurl: 'http://two.example/x/' }];
  const task = taskFor({ bs_task_id: 7, package_version: '1.0-1', package_epoch: 2, repositories });
  assert.deepEqual(task, {
    ...{ id: 'one', platform: 'debian-12', package: 'hello', version: '2:1.0-1' },
    repositories: [
      { name: 'repo-0', url: 'https://one.example/deb' },
      { name: 'two', url: 'http://two.example/x/' },
    ],
  });
  assert.equal(taskFor({ package_version: null }).version, undefined);
  assert.throws(() => taskFor({ package_epoch: 0 }), /^Error: package_epoch: it needs a package_version$/);
  const twice = { package_version: '1:1.0-1', package_epoch: 1 };
  assert.throws(() => taskFor(twice), /^Error: package_epoch: package_version has an epoch already$/);
});

test('A-052: a module is named with its stream', () => {
  const module = { module_name: 'nodejs', module_stream: '18', module_version: 8_070_020 };
  assert.deepEqual(taskFor(module).module, { name: 'nodejs', stream: '18' });
  assert.equal(taskFor({ module_name: null, module_stream: null }).module, undefined);
  assert.throws(() => taskFor({ module_name: 'nodejs' }), /module_name needs a module_stream/);
  assert.throws(() => taskFor({ module_stream: '18' }), /module_stream needs a module_name/);
  assert.equal(testRequest.safeParse({ ...asked, module_name: 'a;b', module_stream: '1' }).success, false);
});

test('A-055: repositories without a name are numbered, and APT’s own line says the suite', () => {
  const repositories = [{ url: 'http://a.example' }, { name: 'b', url: 'http://b.example' }].concat([
    { url: 'deb http://c.example/x bookworm main' } as never,
  ]);
  assert.deepEqual(taskFor({ repositories }).repositories, [
    { name: 'repo-0', url: 'http://a.example/' },
    { name: 'b', url: 'http://b.example/' },
    { name: 'repo-2', url: 'http://c.example/x', suite: 'bookworm' },
  ]);
});

for (const url of [
  'ftp://a.example',
  'file:///etc',
  'http://ann:secret@a.example',
  'nowhere',
  'deb http://a x contrib',
]) {
  test(`A-035: ${url} is no repository`, () => {
    assert.throws(() => taskFor({ repositories: [{ url }] }), /^Error: repositories\/0: expected http.*for APT also/);
  });
}

test('A-035: what is wrong with the URL of tests is said without APT’s words', () => {
  const tests = { test_configuration: { tests: [{ url: 'git://a.example' }] } };
  const said = /^Error: test_configuration\/tests\/0\/url: expected http:\/\/… or https:\/\/… without a user$/;
  assert.throws(() => taskFor(tests), said);
});

test('A-035: what stands in a URL gets nothing else into a configuration file', () => {
  const [found] = taskFor({
    repositories: [{ url: 'http://a.example/x main\ndeb http://evil.example y' }],
  }).repositories;
  assert.match(found?.url ?? '', /^http:\/\/a\.example\/\S+$/);
});

const bad = [{ package_name: '-oDpkg' }, { package_name: 'a b' }, { package_version: '1;x' }, { dist_name: '../x' }]
  .concat([{ repositories: [{}] } as never, { repositories: [{ url: 'a', baseurl: 'b' }] } as never])
  .concat([{ bs_task_id: -1 } as never, { runner_type: 'cloud' } as never]);
for (const more of bad) {
  test(`A-030: ${JSON.stringify(more)} is refused`, () => {
    assert.equal(testRequest.safeParse({ ...asked, ...more }).success, false);
  });
}

const places = ['https://one.example/debian', 'http://two.example:8080/', 'https://three.example/group%2Fproject'];
const addresses: readonly (readonly [string, boolean])[] = [
  ['https://one.example/debian', true],
  ['https://one.example/debian/', true],
  ['https://one.example/debian/pool', true],
  ['https://one.example/debian-security', false],
  ['https://one.example/debian/../secret', false],
  ['https://one.example/debian/%2e%2e/secret', false],
  ['http://one.example/debian', false],
  ['https://one.example:444/debian', false],
  ['https://one.example.evil.example/debian', false],
  ['http://two.example:8080/any', true],
  ['http://two.example/any', false],
  ['nothing', false],
  ['https://one.example/debian/%2e%2e%2fsecret', false],
  ['https://one.example/debian/..%2Fsecret', false],
  ['https://one.example/debian/..%5csecret', false],
  ['https://one.example/debian/%252e%252e%252fsecret', false],
  ['https://one.example/debian/a%2Bb', true],
  ['https://three.example/group%2Fproject/deb', true],
  ['https://three.example/group%2Fother/deb', false],
];
for (const [address, allowed] of addresses) {
  test(`${address} may ${allowed ? '' : 'not '}be reached`, () => assert.equal(isBelow(address, places), allowed));
}

const outputs: readonly (readonly [string, boolean | null])[] = [
  ['1..2\nok 1 - a\nok 2 - b\n', true],
  ['TAP version 13\nok 1\nnot ok 2 - b\n1..2\n', false],
  ['1..2\nok 1\nnot ok 2 - b # todo later\n', true],
  ['1..1\nnot ok 1 # SKIP no network\n', true],
  ['1..3\nok 1\nok 2\n', false],
  ['1..2\nok 1\nBail out! no disk\n', false],
  ['1..0 # skip nothing to do\n', true],
  ['ok\nfine\n', null],
  ['', null],
];
for (const [output, passes] of outputs) {
  test(`A-058: TAP ${JSON.stringify(output)} passes: ${passes}`, () => assert.equal(tapPasses(output), passes));
}

const [passed, failed] = ['1..1\nok 1\n', '1..1\nnot ok 1\n'];
const verdicts: readonly (readonly [stage: string, stdout: string, code: number | undefined, good: boolean])[] = [
  ['third_party_a.sh', '', 0, true],
  ['third_party_a.sh', '', 1, false],
  ['third_party_a.sh', '', undefined, false],
  ['third_party_a.sh', passed, 1, true],
  ['third_party_a.sh', passed, undefined, true],
  ['third_party_a.sh', failed, 0, false],
  ['third_party_a.sh', passed, 408, false],
  ['third_party_fetch_0', passed, 1, false],
  ['third_party_fetch_x', passed, 1, true],
  ['install_package', passed, 100, false],
  ['install_package', failed, 0, true],
  ['uninstall_package', passed, 408, false],
];
for (const [stage, stdout, code, good] of verdicts) {
  test(`A-058 A-063: ${stage} that ends with ${code} and says ${JSON.stringify(stdout)} is ${good ? 'good' : 'bad'}`, () => {
    const exit = code === undefined ? {} : { exit_code: code };
    assert.equal(isGood(stage, { stdout, stderr: '', ...exit }), good);
  });
}

/** Values by the field that they are wrong in. */
const wrong: readonly (readonly [field: string, says: string, more: object])[] = [
  ['dist_version', 'it is missing', { dist_version: undefined }],
  ['dist_version', 'expected a version, such as 12 or "20.04"', { dist_version: [] }],
  ['package_epoch', 'expected a number', { package_epoch: 'x' }],
  ['test_configuration.test_env.X', 'it cannot have a zero byte in it', withEnvironment({ X: 'a\0b' })],
  ['test_configuration.test_env.a b', 'it is no name of a variable', withEnvironment({ 'a b': 'c' })],
  ['callback_href', 'it cannot have a zero byte in it', { callback_href: '/a\0b' }],
];
for (const [field, says, more] of wrong) {
  test(`A-030: ${JSON.stringify(more)} is refused: ${field}: ${says}`, () => {
    const { error } = testRequest.safeParse({ ...asked, ...more });
    const found = error?.issues.map(({ path, message }) => [path.join('.'), message]);
    assert.deepEqual(found, [[field, says]]);
  });
}

const long = 'a'.repeat(3_000);
const withTest = (more: object) => ({ test_configuration: { tests: [{ url: 'https://a.example', ...more }] } });
const fields = ['package_name', 'package_version', 'dist_name', 'dist_version', 'dist_arch', 'callback_href'].map(
  (field) => ({ [field]: long }),
);
for (const more of [
  ...fields,
  { package_epoch: '1'.repeat(11) },
  { repositories: [{ url: `http://a.example/${long}` }] },
  { repositories: [{ name: long, url: 'http://a.example' }] },
  ...['git_ref', 'test_dir'].map((field) => withTest({ [field]: long })),
  withTest({ tests_to_run: [long] }),
  withEnvironment({ [long]: 'x' }),
  withEnvironment({ X: long + long }),
]) {
  test(`A-030: nothing is longer than what is kept of it: ${JSON.stringify(more).slice(0, 60)}`, () => {
    assert.equal(testRequest.safeParse({ ...asked, ...more }).success, false);
  });
}

test('A-057: the summary says of each stage whether it went well, and its last words', () => {
  const record = { exit_code: 2, stdout: 'much\n', stderr: 'E: no such package\n' };
  const { summary } = testResult({ result: { install_package: record }, stats: {} });
  assert.deepEqual(summary, { install_package: { success: false, output: 'E: no such package' } });
});

test('A-062: a task has two hours, and one node of its platform', () => {
  const { timeout, nodeset } = testJob(taskFor({}));
  assert.equal(timeout, 7_200);
  assert.deepEqual(nodeset.nodes, [{ name: ['node'], label: 'debian-12' }]);
});
