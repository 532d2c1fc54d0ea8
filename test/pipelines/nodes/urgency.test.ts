import assert from 'node:assert/strict';
import { test } from 'node:test';
import { urgencyOf } from '../../../pipelines/nodes/urgency.ts';

test('high before normal before low, and what a paused job waits for before its like', () => {
  assert.deepEqual([99, 100, 199, 200, 299, 300].map(urgencyOf), [1, 1, 2, 3, 4, 5]);
});
