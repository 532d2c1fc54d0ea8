import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Act } from '../../../pipelines/policy/act.ts';
import { actText, byHand } from '../../../pipelines/report/acts.ts';

const ada = { name: 'ada', kind: 'person', via: 'token' } as const;

function act(given: Partial<Act>): Act {
  const what = { operation: 'retrigger', changes: ['git:5'], about: {} } as const;
  return { id: 'a', time: 100, by: ada, outcome: 'done', reason: '', ...what, ...given };
}

function attempt(number: number, startTime: number, given: object = {}) {
  const of = { change: 'git:5', job: 'unit', buildSet: 'gate-1.1' };
  return { id: `b${number}`, attempt: number, startTime, ...of, ...given };
}

test('an act is told in a few words', () => {
  assert.equal(
    actText(act({ about: { job: 'unit', buildSet: 'gate-1.1' } })),
    'retrigger git:5 (job unit, build set gate-1.1)',
  );
  assert.equal(actText(act({ operation: 'promote', changes: ['a', 'b'], about: {} })), 'promote a, b');
  assert.equal(actText(act({ operation: 'reload', changes: [] })), 'reload');
});

test('the first attempt that began after it was asked for is who asked’s, and a stopped build theirs who stopped it', () => {
  const builds = [
    attempt(1, 50),
    attempt(3, 300),
    attempt(2, 200),
    attempt(2, 150, { id: 'other', buildSet: 'gate-2.1' }),
  ];
  const again = act({ about: { job: 'unit', buildSet: 'gate-1.1' } });
  const later = act({ time: 250, by: { ...ada, name: 'bob' }, about: { job: 'unit', buildSet: 'gate-1.1' } });
  const stopped = act({ operation: 'cancel', time: 260, about: { build: 'b2' } });
  assert.deepEqual(byHand(builds, [stopped, later, again]), {
    b2: 'retriggered by ada, canceled by ada',
    b3: 'retriggered by bob',
  });
});

test('nobody is named for what was refused, or for another job, build set or change', () => {
  const builds = [attempt(1, 150), attempt(2, 200)];
  const about = { job: 'unit', buildSet: 'gate-1.1' };
  const others = [
    act({ about, outcome: 'refused' }),
    act({ about: { ...about, job: 'lint' } }),
    act({ about: { ...about, buildSet: 'gate-2.1' } }),
    act({ about, changes: ['git:6'] }),
    act({ about, time: 201 }),
    act({ about, operation: 'enqueue' }),
  ];
  assert.deepEqual(byHand(builds, others), {});
  assert.deepEqual(byHand([attempt(1, 150)], [act({ about })]), {});
});
