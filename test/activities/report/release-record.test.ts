import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptRelease } from '../../../activities/report/release-record.ts';
import type { ReleaseRecord } from '../../../activities/report/types.ts';
import { aRelease } from '../../server/records.ts';

/** A run of one release: when it began, and how it stands. */
type Run = readonly [start: number, state: ReleaseRecord['state']];

function run([startTime, state]: Run): ReleaseRecord {
  return aRelease({ startTime, state, endTime: state === 'running' ? null : startTime + 5, packages: [] });
}

const rows: [says: string, told: Run[], stands: Run, beside: Run[]][] = [
  [
    'the end follows the start',
    [
      [1, 'running'],
      [1, 'published'],
    ],
    [1, 'published'],
    [],
  ],
  [
    'a late start undoes no end',
    [
      [1, 'failed'],
      [1, 'running'],
    ],
    [1, 'failed'],
    [],
  ],
  [
    'a repeat of what failed is shown as it runs',
    [
      [1, 'failed'],
      [2, 'running'],
    ],
    [2, 'running'],
    [[1, 'failed']],
  ],
  [
    'a repeat may mend what failed',
    [
      [1, 'failed'],
      [2, 'running'],
      [2, 'published'],
    ],
    [2, 'published'],
    [[1, 'failed']],
  ],
  [
    'W1: a failed repeat leaves what was published',
    [
      [1, 'published'],
      [2, 'failed'],
    ],
    [1, 'published'],
    [[2, 'failed']],
  ],
  [
    'W1: a repeat that runs leaves it, too',
    [
      [1, 'published'],
      [2, 'running'],
    ],
    [1, 'published'],
    [],
  ],
  [
    'a repeat that publishes again stands',
    [
      [1, 'published'],
      [2, 'published'],
    ],
    [2, 'published'],
    [[1, 'published']],
  ],
  [
    'an older run that is told late stands for nothing',
    [
      [2, 'running'],
      [1, 'failed'],
    ],
    [2, 'running'],
    [[1, 'failed']],
  ],
  [
    'what is told twice is kept once',
    [
      [1, 'published'],
      [2, 'failed'],
      [2, 'failed'],
    ],
    [1, 'published'],
    [[2, 'failed']],
  ],
];
for (const [says, told, stands, beside] of rows) {
  test(says, () => {
    const kept = told.map(run).reduce<ReleaseRecord | undefined>(keptRelease, undefined);
    assert.deepEqual([kept?.startTime, kept?.state], stands);
    assert.deepEqual(
      (kept?.attempts ?? []).map(({ startTime, state }) => [startTime, state]),
      beside,
    );
  });
}
