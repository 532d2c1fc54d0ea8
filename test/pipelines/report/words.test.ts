import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from '../../../pipelines/report/words.ts';

test('F10: one is one, none and more are many', () => {
  assert.deepEqual(
    [0, 1, 2].map((number) => counted(number, 'job')),
    ['0 jobs', '1 job', '2 jobs'],
  );
  assert.deepEqual([counted(1, 'branch', 'branches'), counted(3, 'branch', 'branches')], ['1 branch', '3 branches']);
});
