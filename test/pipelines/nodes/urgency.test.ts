import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urgencyOf } from '../../../pipelines/nodes/urgency.ts';

test('high before normal before low, and what a paused job waits for before its like, but in low', () => {
  assert.deepEqual(
    [99, 100, 199, 200, 299, 300].map((priority) => urgencyOf(priority)),
    [1, 2, 3, 4, 5, 5],
  );
});

test('a publish before its like, and no job of a higher precedence waits for it', () => {
  assert.deepEqual(
    [100, 200, 300].map((priority) => urgencyOf(priority, 'publish')),
    [1, 3, 5],
  );
});
