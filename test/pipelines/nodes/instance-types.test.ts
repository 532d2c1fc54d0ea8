import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LabelSizes, sizeOfNode, smallestType } from '../../../pipelines/nodes/instance-types.ts';

const types = {
  large: { cores: 8, ramGb: 32 },
  small: { cores: 1, ramGb: 2 },
  medium: { cores: 2, ramGb: 4 },
  memory: { cores: 2, ramGb: 16 },
};

for (const [cores, ramGb, chosen] of [
  [1, 2, 'small'],
  [0.5, 0.25, 'small'],
  [2, 1, 'medium'],
  [1, 3, 'medium'],
  [1, 5, 'memory'],
  [3, 1, 'large'],
  [8, 32, 'large'],
  [9, 1, null],
  [1, 33, null],
] as const) {
  test(`I10: ${cores} cores with ${ramGb} GB are ${chosen ?? 'nowhere'}`, () => {
    assert.equal(smallestType(types, { cores, ramGb }), chosen);
  });
}

const usual = { cores: 1, ramGb: 4 };
for (const [what, asked, of, expected] of [
  ['more cores', { cores: 4 }, types, types.large],
  ['more memory', { ramGb: 5 }, types, types.memory],
  ['less of both', { cores: 1, ramGb: 1 }, types, types.small],
  ['what its platform has anyway', { cores: 2 }, types, null],
  [
    'too much',
    { cores: 9 },
    types,
    'no instance type has 9 cores and 4 GB: the largest is large with 8 cores and 32 GB',
  ],
  ['enough of what there is alone', { cores: 1 }, 'a reason', null],
  ['too much of that', { ramGb: 8 }, 'a reason', 'none has 1 core and 8 GB: all have 1 core and 4 GB, for a reason'],
] as const) {
  test(`I10: a node that asks for ${what} has the smallest type that fits, or is told what there is`, () => {
    const found = sizeOfNode(asked, { usual, types: of } satisfies LabelSizes);
    assert.deepEqual('fault' in found ? found.fault : found.size, expected);
  });
}

test('I10: property: the type has what is asked for, and none that has it is smaller in both', () => {
  const size = fc.record({ cores: fc.integer({ min: 1, max: 9 }), ramGb: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), size, { maxKeys: 8 }), size, (all, asked) => {
      const fits = Object.values(all).filter(({ cores, ramGb }) => cores >= asked.cores && ramGb >= asked.ramGb);
      const name = smallestType(all, asked);
      const chosen = name === null ? undefined : all[name];
      assert.equal(chosen === undefined, fits.length === 0);
      if (chosen === undefined) return;
      assert.ok(fits.includes(chosen));
      assert.ok(
        !fits.some(({ cores, ramGb }) => cores < chosen.cores || (cores === chosen.cores && ramGb < chosen.ramGb)),
      );
    }),
  );
});
