import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Need, Queue } from '../../scripts/queue.ts';

test('what needs something is overtaken until that has ended, well or not, and then comes first', async () => {
  const one = Promise.withResolvers<void>();
  const other = Promise.withResolvers<void>();
  const needs = new Map([
    ['1', new Need(one.promise)],
    ['2', new Need(other.promise)],
  ]);
  const queue = new Queue(['a', '1x', '2x', 'b', '1y', 'c'], ([first = '']) => needs.get(first));
  assert.deepEqual([await queue.next(), await queue.next()], ['a', 'b']);
  one.resolve();
  await needs.get('1')?.ended;
  assert.deepEqual([await queue.next(), await queue.next(), await queue.next()], ['1x', '1y', 'c']);
  const left = [queue.next(), queue.next()];
  other.reject(new Error('it failed'));
  assert.deepEqual(await Promise.all(left), ['2x', undefined]);
});
