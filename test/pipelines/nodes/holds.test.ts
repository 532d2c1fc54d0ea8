import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addHold,
  beginHeld,
  claimHold,
  deleteHold,
  endHeld,
  type FailedBuild,
  type Holds,
  type HoldWish,
  noHolds,
  returnHold,
} from '../../../pipelines/nodes/holds.ts';

const wish = (id: string, more: Partial<HoldWish> = {}): HoldWish => ({
  ...{ id, job: 'install', reason: 'look', count: 1, seconds: 60, by: 'ann', time: 0 },
  ...more,
});
const failed = (id: string, more: Partial<FailedBuild> = {}): FailedBuild => ({
  ...{ id, job: 'install', project: 'pkg/a', change: '7' },
  ...more,
});
const all = (...wishes: readonly HoldWish[]): Holds => wishes.reduce(addHold, noHolds);
const held = (build: string) => ({ build, host: 'here', nodes: [], time: 1, until: 2 });

const cases: readonly [string, readonly HoldWish[], FailedBuild, string | null][] = [
  ['of the job', [wish('a')], failed('1'), 'a'],
  ['of another job', [wish('a', { job: 'build' })], failed('1'), null],
  ['of the project', [wish('a', { project: 'pkg/a' })], failed('1'), 'a'],
  ['of another project', [wish('a', { project: 'pkg/b' })], failed('1'), null],
  ['of the change', [wish('a', { change: '7' })], failed('1'), 'a'],
  ['of another change', [wish('a', { change: '8' })], failed('1'), null],
  ['of a branch by its name', [wish('a', { ref: 'main' })], failed('1', { change: 'refs/heads/main' }), 'a'],
  ['of a ref', [wish('a', { ref: 'refs/tags/v1' })], failed('1', { change: 'refs/tags/v1' }), 'a'],
  ['of another ref', [wish('a', { ref: 'stable' })], failed('1', { change: 'refs/heads/main' }), null],
  [
    'of a ref, as older versions had it',
    [wish('a', { change: 'main' })],
    failed('1', { change: 'refs/heads/main' }),
    'a',
  ],
  ['of the ref before all', [wish('a'), wish('b', { ref: 'm' })], failed('1', { change: 'refs/heads/m' }), 'b'],
  [
    'of the change before all',
    [wish('a'), wish('b', { project: 'pkg/a' }), wish('c', { change: '7' })],
    failed('1'),
    'c',
  ],
  ['that came first among equals', [wish('a'), wish('b')], failed('1'), 'a'],
  ['of nobody', [], failed('1'), null],
];

for (const [what, wishes, build, expected] of cases) {
  test(`a failed build is counted for a hold ${what}`, () => {
    assert.equal(claimHold(all(...wishes), build).hold?.id ?? null, expected);
  });
}

test('a hold counts as many builds as it wants, and one that asks again once', () => {
  const first = claimHold(all(wish('a', { count: 2 })), failed('1'));
  const again = claimHold(first.all, failed('1'));
  assert.equal(again.hold?.id, 'a');
  const second = claimHold(again.all, failed('2'));
  assert.equal(second.hold?.id, 'a');
  assert.equal(claimHold(second.all, failed('3')).hold, null);
  const back = returnHold(second.all, '1');
  assert.equal(claimHold(back, failed('3')).hold?.id, 'a', 'what could not be held is not counted');
});

test('a hold goes with the last nodes of what it wanted, and before by its deletion', () => {
  const first = claimHold(all(wish('a', { count: 2 })), failed('1')).all;
  const there = beginHeld(first, { id: 'a', held: held('1') }) as Holds;
  assert.deepEqual(there.holds[0]?.held, [held('1')]);
  const one = endHeld(there, '1');
  assert.deepEqual(
    one.holds.map(({ id, held, builds }) => ({ id, held, builds })),
    [{ id: 'a', held: [], builds: ['1'] }],
    'it wants another one',
  );
  const second = beginHeld(claimHold(one, failed('2')).all, { id: 'a', held: held('2') }) as Holds;
  assert.deepEqual(endHeld(second, '2'), noHolds);
  assert.deepEqual(deleteHold(second, 'a'), noHolds);
  assert.equal(beginHeld(noHolds, { id: 'a', held: held('2') }), null, 'whose nodes are to go at once');
});

test('adding a hold twice is adding it once', () => {
  const two = all(wish('a'), wish('a'));
  assert.equal(two.holds.length, 1);
});
