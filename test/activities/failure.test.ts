import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledFailure } from '@temporalio/common';
import { lastWords } from '../../activities/failure.ts';

const going = new AbortController().signal;
const ended = (reason: string) => AbortSignal.abort(new CancelledFailure(reason));
const cases: readonly [
  says: string,
  signal: AbortSignal,
  tries: readonly [attempt: number, faults: number],
  words: RegExp,
][] = [
  [
    'a worker that stops says that another attempt follows',
    ended('WORKER_SHUTDOWN'),
    [1, 1],
    /worker stops: attempt 2 foll/,
  ],
  ['what was cancelled says that nobody wants it', ended('CANCELLED'), [1, 1], /^Cancelled: nobody wants/],
  ['a fault says what it was, and that another follows', going, [2, 2], /infrastructure: no engine; attempt 3 follows/],
  ['the last fault says how often it was tried', going, [6, 4], /no engine; it was tried 6 times/],
  ['killed workers are no faults', going, [9, 3], /no engine; attempt 10 follows/],
];
for (const [says, signal, [attempt, faults], words] of cases) {
  test(`the end of a log: ${says}`, () => {
    const found = lastWords(new Error(signal.aborted ? 'WORKER_SHUTDOWN' : 'no engine'), { signal, attempt, faults });
    assert.match(found, words);
    assert.doesNotMatch(found, /WORKER_SHUTDOWN/);
  });
}
