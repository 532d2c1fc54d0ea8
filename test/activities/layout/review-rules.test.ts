import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, type TriggerEvent, unproposed } from '../../../pipelines/model/change.ts';
import { requirementsMet } from '../../../pipelines/policy/requirements.ts';
import { all, gerrit, pipelines, pipelinesOf, taken } from './shipped-pipelines.ts';

const event = (connection: string, fields: Partial<TriggerEvent>): TriggerEvent => ({
  ...{ type: '', driver: all[connection]?.driver ?? '', connection, project: 'p', branch: 'main', time: 1_000 },
  ...fields,
});

/** It meets all that the gate wants. */
const ready = { type: 'change-ready', pipeline: 'gate' };

const gitlabEvents = (type: string): [string, Partial<TriggerEvent>, Partial<Change>?][] => [
  ['check', { type, action: 'opened' }],
  ['check gate', { type, action: 'changed' }],
  ['check gate', { type, action: 'comment', comment: 'recheck\n' }],
  ['', { type, action: 'comment', comment: 'do not recheck this' }],
  ['gate', { type, action: 'approved' }],
  ['', { type, action: 'labeled', labels: ['x'] }],
  ['', { type, action: 'edited' }],
  ['', { type, action: 'passed' }],
  ['gate', ready],
  ['', { ...ready, pipeline: 'check' }],
  ['post', { type, action: 'merged' }],
  ['', { type, action: 'report' }],
];

const cases: readonly [connection: string, rows: [string, Partial<TriggerEvent>, Partial<Change>?][]][] = [
  [
    'review',
    [
      ['check gate', { type: 'patchset-created' }],
      ['check gate', { type: 'comment-added', comment: 'Patch Set 1: Code-Review+1\n\nrecheck' }],
      ['check gate', { type: 'comment-added', comment: 'recheck' }],
      ['', { type: 'comment-added', comment: 'please recheck this' }],
      ['gate', { type: 'comment-added', approvals: [{ label: 'Code-Review', value: 2 }] }],
      ['', { type: 'comment-added', comment: 'Done' }],
      ['', { type: 'hashtags-changed' }],
      ['gate', ready],
      ['gate', { type: 'vote-deleted' }],
      ['post', { type: 'change-merged' }],
    ],
  ],
  ['lab', gitlabEvents('gl_merge_request')],
  ['tea', gitlabEvents('gitea_pull_request')],
  [
    'app',
    [
      ['gate', { type: 'pull_request', action: 'labeled', labels: ['gate me'] }],
      ['', { type: 'pull_request', action: 'labeled', labels: ['another'] }],
    ],
  ],
  [
    'hub',
    [
      ['check', { type: 'pull_request', action: 'opened' }],
      ['gate', { type: 'pull_request_review', action: 'submitted', state: 'approved' }],
      ['check', { type: 'check_run', action: 'rerequested', check: 'sluice:sluice/check:failure' }],
      ['', { type: 'pull_request_review', action: 'submitted', state: 'commented' }],
      ['', { type: 'check_run', action: 'completed', check: 'ci:unit:success' }],
      ['', { type: 'pull_request', action: 'labeled', labels: ['gate me'] }],
      ['gate', ready],
      ['post', { type: 'pull_request', action: 'closed' }, { status: 'merged' }],
      ['', { type: 'pull_request', action: 'closed' }, { status: 'abandoned' }],
    ],
  ],
];

for (const [connection, rows] of cases) {
  for (const [expected, fields, change] of rows) {
    test(`${connection}: ${JSON.stringify({ ...fields, ...change })} goes to ${expected || 'nothing'}`, () => {
      assert.equal(taken(event(connection, fields), change), expected);
    });
  }
}

/** Whether a change meets what the shipped gate asks for. */
function meets(connection: string, change: Partial<Change>): boolean {
  const subject = { ...unproposed, kind: 'change', connection, ...change } as Change;
  return requirementsMet(pipelines.gate as never, subject, 1_000).ok;
}

const vote = (label: string, value: number) => ({ votes: [{ label, value, by: 'ada', time: 0 }] });

test('an agreed label takes the place of approvals, and a veto of it stands', () => {
  for (const [value, expected] of [
    [-1, false],
    [1, true],
    [2, true],
    [3, true],
  ] as const)
    assert.equal(meets('labelled', vote('Workflow', value)), expected, String(value));
  assert.deepEqual([meets('labelled', {}), meets('review', {})], [false, true]);
  assert.deepEqual([meets('lab', {}), meets('lab', vote('approved', 1))], [false, true]);
  const labels = ['gate me'];
  assert.equal(meets('app', { labels, currentLabels: labels }), true);
});

test('at plain Git an agreed label takes the place of `Approved`, and its veto and what takes that back stand', () => {
  assert.deepEqual([meets('plain', vote('Approved', 1)), meets('plain', vote('Workflow', 1))], [false, false]);
  assert.deepEqual([meets('plain', vote('Workflow', 2)), meets('plain', vote('Workflow', 3))], [true, true]);
  const both = [...vote('Workflow', 2).votes, ...vote('Workflow', -1).votes];
  assert.equal(meets('plain', { votes: both }), false);
  const voted = (label: string, value: number) =>
    event('plain', { type: 'comment-added', approvals: [{ label, value }] });
  assert.equal(taken(voted('Workflow', 2), vote('Workflow', 2)), 'gate');
  assert.equal(taken(voted('Workflow', 0), vote('Workflow', 2)), 'gate');
  assert.equal(meets('git', vote('Workflow', 2)), false);
});

test('a label that was given to an earlier patch set lets nothing in', () => {
  assert.equal(meets('app', { labels: ['gate me'], currentLabels: [] }), false);
  assert.equal(meets('app', { labels: ['gate me'] }), false);
});

test('no name of a label, hashtag, topic or status is an approval', () => {
  const names = ['approved', 'review', 'Approved', 'Workflow', 'permission', 'gate me', 'sluice/gate'];
  const statuses = names.map((name) => `eve:${name}:success`);
  const named = { labels: names, currentLabels: [], hashtags: names, topic: 'approved', statuses };
  for (const connection of ['git', 'plain', 'labelled', 'hub', 'app', 'lab', 'tea'])
    assert.equal(meets(connection, named), false, connection);
  for (const connection of ['hub', 'lab', 'tea'])
    assert.equal(meets(connection, { ...named, currentLabels: names }), false, connection);
});

test('an App reports by check runs, a token by statuses', () => {
  const bodies = (connection: string) =>
    ['start', 'success', 'failure'].map((action) => {
      const rules = pipelines.gate?.reporters[action as 'start'] ?? [];
      return rules.find((rule) => rule.connection === connection)?.body;
    });
  const reports = { start: { comment: false }, success: { merge: true }, failure: {} };
  assert.deepEqual(bodies('hub'), [
    { status: 'pending', ...reports.start },
    { status: 'success', ...reports.success },
    { status: 'failure', ...reports.failure },
  ]);
  assert.deepEqual(bodies('app'), [
    { check: 'in_progress', ...reports.start },
    { check: 'success', ...reports.success },
    { check: 'failure', ...reports.failure },
  ]);
});

test('the built-in host alone has the file as it is written, and one that is left out has no rules', async () => {
  const alone = await pipelinesOf({ git: { driver: 'git' } });
  assert.deepEqual(Object.keys(alone), Object.keys(pipelines));
  const without = await pipelinesOf({ review: gerrit });
  assert.doesNotMatch(JSON.stringify(without), /"connection":"git"/);
  const mine = await pipelinesOf({ mine: { driver: 'git' } });
  const agreed = await pipelinesOf({ git: { driver: 'git', approve: { label: 'Workflow' } } });
  assert.match(JSON.stringify(agreed.gate?.require), /"Workflow":">=1"/);
  const renamed = JSON.stringify(mine.gate?.require).replaceAll('"mine"', '"git"');
  assert.equal(renamed, JSON.stringify(alone.gate?.require));
});
