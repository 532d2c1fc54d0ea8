import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architecturesOf, exclusion } from '../../../pipelines/formats/deb/architectures.ts';
import { exclusionIn } from '../../../pipelines/formats/rpm/exclusion.ts';

test('P9: the architectures of a DEB package are those of all its binary packages', () => {
  const control =
    'Source: a\n\nPackage: a\nArchitecture: armhf arm64\n\npackage: b\narchitecture:\n linux-any\n armhf\n';
  assert.deepEqual(architecturesOf(control), ['armhf', 'arm64', 'linux-any']);
  assert.deepEqual(architecturesOf('Source: a\nArchitecture: amd64\n'), [], 'a source has none');
});

test('P9: a platform is excluded when no binary package is for it', () => {
  const excluded = 'excluded: its packages are for armhf, arm64, and the platform is amd64';
  const cases: readonly (readonly [readonly string[], readonly string[], string | null])[] = [
    [['armhf', 'arm64'], [], excluded],
    [['armhf', 'any-amd64'], ['any-amd64'], null],
    [['armhf', 'all'], [], null],
    [[], [], null],
  ];
  for (const [wanted, meant, reason] of cases) assert.equal(exclusion(wanted, { machine: 'amd64', meant }), reason);
});

test('P9: rpm says itself whether a spec is for its platform', () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['warning: x\nerror: Architecture is not included: x86_64\n', 'excluded: ExclusiveArch leaves out x86_64'],
    ['error: Architecture is excluded: x86_64', 'excluded: ExcludeArch leaves out x86_64'],
    ['error: OS is not included: linux', 'excluded: ExclusiveOS leaves out linux'],
    ['error: OS is excluded: linux', 'excluded: ExcludeOS leaves out linux'],
    [
      'error: No compatible architectures found for build\n',
      'excluded: BuildArch has no architecture that can be built here',
    ],
    ['error: Bad file: /x: No such file\n', null],
    ['', null],
  ];
  for (const [output, reason] of cases) assert.equal(exclusionIn(output), reason);
});
