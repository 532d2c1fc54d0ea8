import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../infra/common/logging.ts';

test('F15: every line of a log is one JSON object with time, level, part and message', () => {
  const lines: string[] = [];
  const logger = createLogger('server', { write: (line) => void lines.push(line) });
  logger.warn({ change: 'git:5' }, 'cannot look at a change');
  logger.error(new Error('no room'));
  const [first, second] = lines.map((line) => JSON.parse(line));
  assert.match(first.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    [first.level, first.part, first.msg, first.change],
    ['warn', 'server', 'cannot look at a change', 'git:5'],
  );
  assert.deepEqual([second.level, second.msg], ['error', 'no room']);
});
