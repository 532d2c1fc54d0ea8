import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerReason } from '../../../pipelines/nodes/reason.ts';
import { jobWait, withTaken } from '../../../pipelines/report/job-wait.ts';
import type { PendingStep } from '../../../pipelines/report/release-wait.ts';

const step = (given: Partial<PendingStep>): PendingStep => ({
  ...{ name: 'runStage', attempt: 2, begun: true, waits: 0, fault: 'activity Heartbeat timeout' },
  ...given,
});

const told: readonly [says: string, pending: readonly PendingStep[], expected: string | null][] = [
  ['of a job that does nothing just now, nothing', [], null],
  ['of a job that goes on, nothing', [step({ attempt: 1, fault: undefined })], null],
  [
    'that a worker was lost, and none has come',
    [step({ begun: false })],
    'its worker was lost: it waits for a worker to begin anew',
  ],
  ['that a worker was lost, and another has come', [step({})], 'its worker was lost, and it runs anew'],
  [
    'that a paused job’s worker was lost',
    [step({ name: 'resumeStage', begun: false })],
    'its worker was lost: it waits for a worker to begin anew',
  ],
  [
    'that its worker was stopped',
    [step({ fault: 'Worker is shutting down and this activity did not complete in time', begun: false })],
    'its worker was stopped: it waits for a worker to begin anew',
  ],
  [
    'another fault, by its first line',
    [step({ fault: 'docker is away\nat x', begun: false })],
    'a fault ended it (docker is away): it waits for a worker to begin anew',
  ],
  ['of other steps, nothing', [step({ name: 'recordBuild' })], null],
];

for (const [says, pending, expected] of told) {
  test(`a job that was interrupted tells ${says}`, () => assert.equal(jobWait(pending), expected));
}

test('who waits for a place on a worker hears which jobs have one', () => {
  assert.equal(withTaken(workerReason, []), workerReason);
  assert.equal(withTaken('nodes: vm', ['a of 1']), 'nodes: vm');
  assert.equal(withTaken(workerReason, ['a of 1', 'b of 2']), `${workerReason}; at work are a of 1, b of 2`);
  assert.equal(
    withTaken(workerReason, ['a of 1', 'b of 2', 'c of 3', 'd of 4']),
    `${workerReason}; at work are a of 1, b of 2, c of 3 and 1 more`,
  );
});
