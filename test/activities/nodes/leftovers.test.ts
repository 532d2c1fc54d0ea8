import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweepLeftovers } from '../../../activities/nodes/leftovers.ts';
import type { Made } from '../../../activities/nodes/port.ts';

const cases: readonly [string, readonly Made[], readonly string[]][] = [
  ['of a workflow that has ended is removed', [{ build: 'a', holder: 'job/ended' }], ['a']],
  ['of one that is open stays', [{ build: 'a', holder: 'job/open' }], []],
  ['without a holder stays', [{ build: 'a' }], []],
  [
    'of an ended and an open one stays whole',
    [
      { build: 'a', holder: 'job/ended' },
      { build: 'a', holder: 'job/open' },
      { build: 'b', holder: 'job/ended' },
    ],
    ['b'],
  ],
  ['with and without a holder stays', [{ build: 'a', holder: 'job/ended' }, { build: 'a' }], []],
];

for (const [what, made, expected] of cases) {
  test(`R7: what was made for a build ${what}`, async () => {
    const swept: string[] = [];
    const provider = { list: async () => made, sweep: async (build: string) => void swept.push(build) };
    assert.deepEqual(await sweepLeftovers(provider, async (workflow) => workflow === 'job/open'), expected);
    assert.deepEqual(swept, expected);
  });
}

test('what an ended job has left for people stays while somebody holds it', async () => {
  const provider = {
    list: async () => [{ build: 'a', holder: 'job/ended' }],
    sweep: async () => assert.fail('it is held'),
  };
  assert.deepEqual(await sweepLeftovers(provider, async (workflow) => workflow === 'held/a'), []);
});

test('R7: what cannot be asked about is not removed', async () => {
  const swept: string[] = [];
  const list = async () => [{ build: 'a', holder: 'job/unknown' }];
  const provider = { list, sweep: async (build: string) => void swept.push(build) };
  await assert.rejects(
    sweepLeftovers(provider, async () => Promise.reject(new Error('the server is away'))),
    /away/,
  );
  assert.deepEqual(swept, []);
});
