import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { mapAtOnce } from '../../../activities/process/at-once.ts';

test('many are worked on a few at a time, and answered in their order', async () => {
  for (const [count, atOnce] of [
    [0, 3],
    [2, 3],
    [10, 3],
    [10, 1],
  ] as const) {
    let [going, most] = [0, 0];
    const items = Array.from({ length: count }, (_, index) => index);
    const results = await mapAtOnce(new Set(items), atOnce, async (item) => {
      going += 1;
      most = Math.max(most, going);
      for (let turns = item % 4; turns >= 0; turns -= 1) await turn();
      going -= 1;
      return item * 2;
    });
    assert.deepEqual(
      results,
      items.map((item) => item * 2),
    );
    assert.deepEqual([going, most], [0, Math.min(count, atOnce)]);
  }
});

test('the first that fails ends it, once those that were begun are done', async () => {
  for (const fail of [() => Promise.reject(new Error('one')), () => assert.fail('one')]) {
    const done: number[] = [];
    const work = async (item: number) => {
      if (item === 1) return fail();
      for (let turns = 0; turns < 5; turns += 1) await turn();
      done.push(item);
    };
    await assert.rejects(mapAtOnce([0, 1, 2, 3, 4, 5], 3, work), { message: 'one' });
    assert.deepEqual(done, [0, 2]);
  }
});
