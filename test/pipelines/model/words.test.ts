import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, someOf } from '../../../pipelines/model/words.ts';

test('F10: one is one, none and more are many', () => {
  assert.deepEqual(
    [0, 1, 2].map((number) => counted(number, 'job')),
    ['0 jobs', '1 job', '2 jobs'],
  );
  assert.deepEqual([counted(1, 'branch', 'branches'), counted(3, 'branch', 'branches')], ['1 branch', '3 branches']);
});

test('of several texts some are told, and how many are not', () => {
  assert.equal(someOf([]), '');
  assert.equal(someOf(['a', 'b'], 2), 'a; b');
  assert.equal(someOf(['a', 'b', 'c', 'd'], 2), 'a; b; and 2 more');
});
