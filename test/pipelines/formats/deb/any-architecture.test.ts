import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asWritten, spelledOut } from '../../../../pipelines/formats/deb/any-architecture.ts';

const rows: readonly [says: string, lines: readonly string[], wanted: readonly string[]][] = [
  [
    'what is needed and excluded, in lines that go on, and nothing else',
    [
      'Package: a',
      'Depends: b:any (>= 1) | c,',
      ' d:any',
      'Conflicts: e:any',
      'Recommends: f:any',
      'Description: g:any',
    ],
    [
      'Package: a',
      'Depends: b..any (>= 1) | c,',
      ' d..any',
      'Conflicts: e..any',
      'Recommends: f:any',
      'Description: g:any',
    ],
  ],
  [
    'who allows it is asked for by a name of its own',
    ['Package: a', 'Version: 1:2', 'Multi-Arch: allowed'],
    ['Package: a', 'Version: 1:2', 'Multi-Arch: allowed', 'Provides: a..any (= 1:2)'],
  ],
  [
    'and so is what it provides',
    ['Package: a', 'Version: 1', 'Provides: b (= 3),', ' c', 'Multi-Arch: allowed'],
    ['Package: a', 'Version: 1', 'Provides: b (= 3), c, a..any (= 1), b..any (= 3), c..any', 'Multi-Arch: allowed'],
  ],
  [
    'others are not',
    ['Package: a', 'Version: 1', 'Provides: b', 'Multi-Arch: foreign'],
    ['Package: a', 'Version: 1', 'Provides: b', 'Multi-Arch: foreign'],
  ],
];

for (const [says, lines, wanted] of rows) {
  test(`dependencies on any architecture: ${says}`, () => {
    assert.equal(spelledOut(lines.join('\n')), wanted.join('\n'));
  });
}

test('what the solver says of them is told as it was written', () => {
  assert.equal(asWritten('a needs b..any:amd64 (>= 2)'), 'a needs b:any (>= 2)');
});
