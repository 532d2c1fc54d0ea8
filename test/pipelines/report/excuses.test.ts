import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeStory } from '../../../pipelines/report/change-story.ts';
import { isVotedFor, type QueuedChange, storyInQueue } from '../../../pipelines/report/excuses.ts';

const change = { id: 'git:5', project: 'tinycdb', branch: 'master', patchset: 2, wip: false };
const place = {
  ...{ pipeline: 'gate', queue: 'packages', place: 2, length: 3, window: 20, active: true, state: 'running' },
  ...{ reason: '', ahead: [], jobs: [] },
} as const;
const job = { name: 'build-deb', voting: true, result: null, summary: '', startTime: null, waiting: [] } as const;

function story(given: Partial<QueuedChange>): ChangeStory {
  return storyInQueue({ change, place, needs: [], undelivered: [], ...given });
}

const withJob = (more: object) => ({ place: { ...place, jobs: [{ ...job, ...more }] } });
const goesOn = 'Nothing: it goes on by itself.';
const askMore = '`sluice excuses git:5` says what can be done.';

const rows: readonly [what: string, given: Partial<QueuedChange>, part: keyof ChangeStory, says: string][] = [
  [
    'the window',
    { place: { ...place, active: false } },
    'waitsFor',
    'gate: its turn: 20 items at a time can be worked on, others come first.',
  ],
  ['a job that runs', withJob({ startTime: 1 }), 'waitsFor', 'gate: build-deb, which runs.'],
  [
    'a semaphore',
    withJob({ waiting: ['semaphores: mirror'] }),
    'waitsFor',
    'gate: build-deb, which waits for the semaphore mirror, which other jobs hold.',
  ],
  [
    'nodes',
    withJob({ waiting: ['nodes: debian-12'] }),
    'waitsFor',
    'gate: build-deb, which waits for machines of debian-12, which other jobs have.',
  ],
  [
    'a change ahead',
    { place: { ...place, ahead: ['git:4,1'] } },
    'waitsFor',
    'gate: git:4,1 ahead of it, on top of which it is tested.',
  ],
  [
    'a change that it needs',
    { needs: [{ id: 'git:4', subject: 'Four', status: 'open' }] },
    'waitsFor',
    'git:4 (Four), which is not merged yet.',
  ],
  [
    'a report that was given up',
    { undelivered: [{ pipeline: 'gate', reason: 'the host is away' }] },
    'why',
    'A report of gate was given up: the host is away.',
  ],
  ['its place', {}, 'state', 'In gate, number 2 of 3 items in the queue packages: running.'],
  ['that nothing is to be done', {}, 'next', goesOn],
  ['a failure', withJob({ result: 'FAILURE', summary: 'no' }), 'why', 'gate: build-deb has ended with FAILURE: no.'],
  ['where advice is to be had after a failure', withJob({ result: 'FAILURE' }), 'next', askMore],
  ['where advice is to be had while it is not ready', { change: { ...change, wip: true } }, 'next', askMore],
];
for (const [what, given, part, says] of rows) {
  test(`what a queue knows of a change tells ${what}`, () => {
    const told = story(given)[part];
    assert.ok(told === says || told.includes(says), JSON.stringify(told));
  });
}

test('of a branch that failed there is no change to look at', () => {
  const { next } = story({ change: { ...change, patchset: 0 }, ...withJob({ result: 'FAILURE' }) });
  assert.deepEqual(next, []);
});

test('who is for a change has voted for it: a check that passed is not a person', () => {
  const vote = { value: 1, by: 'ada', time: 1, email: '', name: '' };
  assert.equal(isVotedFor({ votes: [{ ...vote, label: 'Verified' }] as never }), false);
  assert.equal(isVotedFor({ votes: [{ ...vote, label: 'Approved' }] as never }), true);
  assert.equal(isVotedFor({ votes: [{ ...vote, label: 'Approved', value: -1 }] as never }), false);
});
