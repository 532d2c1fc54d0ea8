import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceTests, whyNotRun } from '../../../../pipelines/formats/deb/source-tests.ts';

const container = { whole: false, architecture: 'amd64', restarts: true };

test('tests of a source are read as autopkgtest has them', () => {
  const control = [
    ...['# remarks are none', 'Tests: one, two', 'Depends: @, gcc (>= 4) [amd64], mawk | gawk', ''],
    ...['Test-Command: alpha --check', 'Depends: alpha', 'Features: test-name=check', 'Restrictions: flaky', ''],
    ...['Tests: third', 'Tests-Directory: t', 'Depends: @builddeps@,', ' beta', 'Architecture: !i386', ''],
    ...['Test-Command: true', 'Restrictions: hint-testsuite-triggers', ''],
  ].join('\n');
  const plain = { restrictions: [], builds: false, packages: [], architectures: [] };
  assert.deepEqual(sourceTests(control), [
    { ...plain, name: 'one', path: 'debian/tests/one', whole: true, packages: ['gcc', 'mawk'] },
    { ...plain, name: 'two', path: 'debian/tests/two', whole: true, packages: ['gcc', 'mawk'] },
    {
      ...{ ...plain, name: 'check', command: 'alpha --check', whole: false },
      ...{ packages: ['alpha'], restrictions: ['flaky'] },
    },
    {
      ...{ ...plain, name: 'third', path: 't/third', whole: false, builds: true },
      ...{ packages: ['beta'], architectures: ['!i386'] },
    },
  ]);
  const [paragraph] = sourceTests('Tests: a\n');
  assert.equal(paragraph?.whole, true, 'all packages of the source, where nothing is said');
});

for (const [fields, machine, why] of [
  ['Restrictions: needs-root, allow-stderr breaks-testbed', container, null],
  ['Restrictions: needs-recommends needs-reboot', container, null],
  ['Restrictions: needs-reboot', { ...container, restarts: false }, /needs-reboot/],
  ['Restrictions: isolation-machine', container, /machine of its own \(isolation-machine\)/],
  ['Restrictions: isolation-machine', { ...container, whole: true }, null],
  ['Restrictions: build-needed', container, /built source tree/],
  ['Restrictions: needs-internet', { ...container, whole: true }, /internet/],
  ['Restrictions: needs-moonlight', container, /restriction needs-moonlight, which is not known/],
  ['Depends: @builddeps@', container, /@builddeps@/],
  ['Architecture: arm64', container, /^is not for amd64$/],
  ['Architecture: !amd64', container, /^is not for amd64$/],
  ['Architecture: any-amd64', container, null],
  ['Architecture: arm64', { whole: false, restarts: true }, null],
] as const) {
  test(`a test with ${fields} on ${JSON.stringify(machine)}`, () => {
    const [one] = sourceTests(`Tests: a\n${fields}\n`);
    assert.ok(one);
    const said = whyNotRun(one, machine);
    if (why === null) assert.equal(said, null);
    else assert.match(said ?? '', why);
  });
}
