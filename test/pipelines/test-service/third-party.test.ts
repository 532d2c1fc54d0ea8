import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testRequest } from '../../../pipelines/test-service/request.ts';
import {
  executorOf,
  missingTests,
  namesOfFiles,
  preparesTests,
  testsAmong,
} from '../../../pipelines/test-service/third-party.ts';

const paths = [
  ...['README.md', 'tests/zeta.py', 'tests/0-install/run.sh', 'tests/p_bash/20-b.sh', 'tests/p_bash/10-a.sh'],
  ...[
    'tests/p_bash/0_install.sh',
    'tests/0_init.sh',
    'tests/alpha.bats',
    'tests/.hidden',
    'tests/notes.txt',
    'other/x.sh',
  ],
];
const source = { url: 'https://git.example/t', ref: 'master', directory: 'tests', only: [] };
const namesOf = (only: readonly string[]) => testsAmong(paths, { ...source, only }).map(({ name }) => name);

test('A-066: what makes the system ready comes first, then the tests by name', () => {
  assert.deepEqual(namesOf([]), ['0_init.sh', '0-install', 'alpha.bats', 'p_bash', 'zeta.py']);
  const files = testsAmong(paths, source).find(({ name }) => name === 'p_bash')?.files;
  assert.deepEqual(files, ['tests/p_bash/0_install.sh', 'tests/p_bash/10-a.sh', 'tests/p_bash/20-b.sh']);
  assert.ok(preparesTests('tests/p_bash/0_install.sh') && !preparesTests('10-a.sh'));
});

test('A-052: of the tests that a request names only those run, with what makes the system ready', () => {
  assert.deepEqual(namesOf(['p_bash']), ['0_init.sh', '0-install', 'p_bash']);
});

test('A-066: the ending of a file says what runs it', () => {
  const programs = ['a.bats', 'a.sh', 'a.bash', 'a.py', 'a.yml', 'a', 'a.b/c'].map((path) => executorOf(path)?.[0]);
  assert.deepEqual(programs, ['bats', 'bash', 'bash', 'python3', 'ansible-playbook', undefined, undefined]);
});

const requests: readonly (readonly [only: readonly string[], says: string | null])[] = [
  [[], null],
  [['p_bash', '0_init.sh'], null],
  [
    ['p_bash', 'alhpa.bats'],
    'there is no test alhpa.bats; there are: 0_init.sh, 0-install, alpha.bats, p_bash, zeta.py',
  ],
];
for (const [only, says] of requests) {
  test(`A-052: of ${only.join(' and ') || 'all'} is said: ${says}`, () => {
    assert.equal(missingTests(paths, { ...source, only }), says);
  });
}

test('A-052: a folder without tests is said, and of many tests not all are listed', () => {
  assert.equal(missingTests(paths, { ...source, directory: 'none' }), 'there are no tests in none');
  const many = Array.from({ length: 30 }, (_, at) => `tests/${at + 100}.sh`);
  assert.match(missingTests(many, { ...source, only: ['x'] }) ?? '', /^there is no test x; .*, 119\.sh, …$/);
});

/** The names of the files of one source after another. */
function named(...sources: readonly (readonly string[])[]): readonly string[] {
  const taken = new Set(['fetch_0', 'fetch_1']);
  return sources.flatMap((files, index) => {
    const { directory } = source;
    return [...namesOfFiles(testsAmong(files, source), { directory, index }, taken).values()];
  });
}

const trees: readonly (readonly [files: readonly (readonly string[])[], names: readonly string[]])[] = [
  [[['tests/a.sh', 'tests/p/x.sh', 'tests/p/y.sh']], ['a.sh', 'p_x.sh', 'p_y.sh']],
  [[['tests/p/a/x.sh', 'tests/p/b/x.sh', 'tests/p/c.sh']], ['p/a/x.sh', 'p/b/x.sh', 'p_c.sh']],
  [
    [['tests/a.sh'], ['tests/a.sh', 'tests/b.sh']],
    ['a.sh', '1_a.sh', 'b.sh'],
  ],
  [[['tests/p/x.sh', 'tests/p/y.sh', 'tests/p_x.sh']], ['p/x.sh', 'p_y.sh', '0_p_x.sh']],
  [[['tests/fetch_1']], ['0_fetch_1']],
];
for (const [files, names] of trees) {
  test(`A-066: ${JSON.stringify(files)} are called ${names.join(', ')}`, () =>
    assert.deepEqual(named(...files), names));
}

const wish = { dist_name: 'debian', dist_version: '12', dist_arch: 'x86_64', package_name: 'hello' };
const bad = [{ test_dir: '../up' }, { test_dir: '/etc' }, { test_dir: 'a/../b' }, { git_ref: '--upload-pack=x' }];
for (const one of [...bad, { tests_to_run: ['../x'] }]) {
  test(`A-052: tests with ${JSON.stringify(one)} are refused`, () => {
    const tests = [{ url: 'https://git.example/t', ...one }];
    assert.equal(testRequest.safeParse({ ...wish, test_configuration: { tests } }).success, false);
  });
}
