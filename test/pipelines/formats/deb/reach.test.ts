import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reachable } from '../../../../pipelines/formats/deb/reach.ts';

const pack = (name: string, ...more: string[]) => [`Package: ${name}`, 'Version: 1', ...more].join('\n');
const nameOf = (paragraph: string) => /^Package: (.*)$/m.exec(paragraph)?.[1];

const rows: readonly [says: string, own: readonly string[], others: readonly string[], names: string[]][] = [
  ['nothing is needed of what nobody names', [pack('a')], [pack('b', 'Depends: c'), pack('c')], []],
  [
    'dependencies of dependencies, with every alternative',
    [pack('a', 'Depends: b (>= 1) | c, d:any')],
    [pack('e'), pack('d'), pack('c', 'Pre-Depends: e'), pack('b'), pack('f')],
    ['e', 'd', 'c', 'b'],
  ],
  [
    'every provider, and every version',
    [pack('a', 'Depends: mail')],
    [pack('b', 'Provides: news, mail (= 2)'), pack('mail'), pack('mail', 'Depends: d'), pack('d')],
    ['b', 'mail', 'mail', 'd'],
  ],
  [
    'what is essential, and what that needs',
    [],
    [pack('base', 'Essential: yes', 'Depends: libc'), pack('libc'), pack('other', 'Essential: no')],
    ['base', 'libc'],
  ],
  ['fields that go on in the next line', [pack('a', 'Depends: b,', ' c')], [pack('b'), pack('c')], ['b', 'c']],
  [
    'what only is recommended, or excluded, is not needed',
    [pack('a', 'Recommends: b', 'Conflicts: b')],
    [pack('b')],
    [],
  ],
  ['a circle ends', [pack('a', 'Depends: b')], [pack('b', 'Depends: c'), pack('c', 'Depends: b, a')], ['b', 'c']],
];
for (const [says, own, others, names] of rows) {
  test(`what an installation may involve: ${says}`, () => {
    assert.deepEqual(reachable(own, others).map(nameOf), names);
  });
}
