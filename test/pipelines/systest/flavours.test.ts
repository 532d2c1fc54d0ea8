import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flavoursOf } from '../../../pipelines/systest/flavours.ts';

test('F-070: a flavour is there where a package has one of its names', () => {
  const flavours = { host: ['linux-image-*', 'master'], containers: ['nova-*-common', '*-agent'], none: [] };
  for (const [packages, expected] of [
    [['linux-image-6.1'], ['host']],
    [['master'], ['host']],
    [['master-extra', 'linux-imag'], []],
    [['nova-common'], []],
    [['nova--common'], ['containers']],
    [
      ['nova-api-common', 'master'],
      ['host', 'containers'],
    ],
    [['agent', 'an-agent'], ['containers']],
    [[], []],
  ] as const) {
    assert.deepEqual([...flavoursOf(flavours, packages)], expected, packages.join());
  }
});

test('a pattern fits what the same regular expression fits', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, text, (given, name) => {
      const expression = new RegExp(`^${given.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      assert.equal(flavoursOf({ one: [given] }, [name]).has('one'), expression.test(name));
    }),
    { numRuns: 2_000 },
  );
});
