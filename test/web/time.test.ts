import assert from 'node:assert/strict';
import { test } from 'node:test';
import { when } from '../../cli/look-back.ts';
import { duration } from '../../cli/output.ts';
import { moment, span } from '../../web/time.ts';

const spans: readonly [milliseconds: number, words: string][] = [
  [400, '0.4 s'],
  [42_000, '42 s'],
  [185_000, '3 min 05 s'],
  [7_800_000, '2 h 10 min'],
  [3 * 86_400_000, '3 d'],
];
for (const [milliseconds, words] of spans) {
  test(`F7: the page and the command line write ${words} alike`, () => {
    assert.deepEqual([span(milliseconds), duration(milliseconds / 1000)], [words, words]);
  });
}

test('F7: moments are written alike, in UTC', () => {
  assert.deepEqual([moment(0), when(0)], ['1970-01-01 00:00:00', '1970-01-01 00:00:00']);
});
