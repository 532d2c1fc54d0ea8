import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lostBuilds, waitsForResults } from '../../../activities/sweep/lost.ts';
import type { Fate } from '../../../pipelines/report/fate.ts';
import type { ItemSnapshot, JobSnapshot } from '../../../workflows/contract.ts';

function job(name: string, more: Partial<JobSnapshot>): JobSnapshot {
  const rest = {
    voting: true,
    dependencies: [],
    startTime: null,
    endTime: null,
    summary: '',
    artifacts: [],
    waiting: [],
  };
  return { key: name, name, attempt: 1, result: 'SUCCESS', ...rest, ...more };
}

function item(jobs: readonly JobSnapshot[], more: Partial<ItemSnapshot> = {}): ItemSnapshot {
  const about = {
    id: '1',
    ahead: null,
    active: true,
    changes: [],
    enqueueTime: 1,
    state: 'running',
    reason: '',
  } as const;
  return { ...about, buildSet: '1.1-a', workflow: 'buildset/x', jobs, ...more };
}

const fate: Fate = { kind: 'terminated', time: 4 };

test('W4: an item whose build set has ended hears of every job without a result, by the attempt that is due', () => {
  const lost = item([
    job('done', {}),
    job('running', { result: null, attempt: 2 }),
    job('never', { result: null, attempt: 0 }),
    job('again', { result: null, attempt: 0, before: 2 }),
  ]);
  assert.equal(waitsForResults(lost), true);
  const builds = lostBuilds(lost, fate, 5).map((command) => 'build' in command && command.build);
  assert.deepEqual(builds, ['running/2', 'never/1', 'again/3']);
});

test('R15: an item that waits for the word of a build set that has ended is let go on', () => {
  const asked = item([job('done', {})], { asked: ['done'] });
  assert.equal(waitsForResults(asked), true);
  assert.deepEqual(lostBuilds(asked, fate, 5), [
    { type: 'retrigger-refused', time: 5, buildSet: '1.1-a', job: 'done' },
  ]);
  assert.equal(waitsForResults(item([job('done', {})])), false);
});
