import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, TriggerEvent } from '../../../pipelines/model/change.ts';
import { requirementsMet } from '../../../pipelines/policy/requirements.ts';
import { triggers } from '../../../pipelines/policy/triggers.ts';

const now = Date.parse('2030-01-07T00:00:00Z');

const change: Change = {
  id: 'A',
  key: 'A,1',
  kind: 'change',
  connection: 'gerrit',
  project: 'p/a',
  branch: 'master',
  ref: 'refs/changes/1/1',
  patchset: 1,
  files: [],
  message: '',
  subject: '',
  owner: 'me',
  parents: [],
  dependsOn: [],
  status: 'open',
  current: true,
  wip: false,
  mergeable: true,
  votes: [{ label: 'Code-Review', value: 2, by: 'anna', email: 'anna@example.org', time: now - 3_600_000 }],
};

const comment: TriggerEvent = {
  type: 'comment-added',
  driver: 'gerrit',
  connection: 'gerrit',
  project: 'p/a',
  branch: 'master',
  comment: 'please recheck this',
  approvals: [{ label: 'Approved', value: 1, oldValue: 0 }],
  account: { username: 'anna', email: 'anna@example.org' },
  time: now,
};
const push: TriggerEvent = { ...comment, type: 'ref-updated', ref: 'refs/heads/stable-1', branch: 'stable-1' };

const again: TriggerEvent = { ...comment, type: 'check_run', action: 'rerequested' };

type Body = Readonly<Record<string, unknown>>;
const triggerRows: readonly (readonly [says: string, body: Body, event: TriggerEvent, fires: boolean])[] = [
  ['the type of the event', { event: 'comment-added' }, comment, true],
  ['another type', { event: 'patchset-created' }, comment, false],
  ['one of several types', { event: ['patchset-created', 'comment-added'] }, comment, true],
  ['a comment is searched', { event: 'comment-added', comment: 'recheck' }, comment, true],
  ['an anchored comment', { event: 'comment-added', comment: '^recheck' }, comment, false],
  ['a vote', { event: 'comment-added', approval: [{ Approved: 1 }] }, comment, true],
  ['another value', { event: 'comment-added', approval: [{ Approved: 2 }] }, comment, false],
  ['all votes must be there', { event: 'comment-added', approval: [{ Approved: 1 }, { Extra: 1 }] }, comment, false],
  ['a vote that changed', { event: 'comment-added', 'approval-change': [{ Approved: 1 }] }, comment, true],
  ['who did it', { event: 'comment-added', username: '^anna$' }, comment, true],
  ['somebody else', { event: 'comment-added', email: 'bert' }, comment, false],
  ['a branch', { event: 'comment-added', branch: '^master$' }, comment, true],
  ['a ref matches at its start', { event: 'ref-updated', ref: '^refs/heads/' }, push, true],
  ['a negated pattern', { event: 'ref-updated', ref: { regex: '^refs/heads/stable', negate: true } }, push, false],
  ['deletions are ignored', { event: 'ref-updated' }, { ...push, newrev: '0'.repeat(40) }, false],
  [
    'unless they are asked for',
    { event: 'ref-updated', 'ignore-deletes': false },
    { ...push, newrev: '0'.repeat(40) },
    true,
  ],
  [
    'a requirement of the trigger',
    { event: 'comment-added', require: { approval: [{ 'Code-Review': 2 }] } },
    comment,
    true,
  ],
  [
    'a rejection of the trigger',
    { event: 'comment-added', reject: { approval: [{ 'Code-Review': 2 }] } },
    comment,
    false,
  ],
  ['an action', { event: 'comment-added', action: 'opened' }, comment, false],
  ['a check again', { event: 'check_run', action: 'rerequested' }, again, true],
  ['a check again, as of old', { event: 'check_run', action: 'requested' }, again, true],
  ['a check that has ended', { event: 'check_run', action: 'requested' }, { ...again, action: 'completed' }, false],
  ['a label', { event: 'comment-added', label: 'gate' }, { ...comment, labels: ['gate'] }, true],
  ['who may write', { event: 'comment-added', permission: 'write' }, permitted('write'), true],
  ['who may do more', { event: 'comment-added', permission: 'write' }, permitted('admin'), true],
  ['who may read alone', { event: 'comment-added', permission: 'write' }, permitted('read'), false],
  ['nobody knows what they may', { event: 'comment-added', permission: 'write' }, comment, false],
  ['a status that is needed', { event: 'comment-added', 'require-status': 'x' }, comment, false],
];

function permitted(permission: 'read' | 'write' | 'admin'): TriggerEvent {
  return { ...comment, account: { username: 'anna', permission } };
}

for (const [says, body, event, fires] of triggerRows) {
  test(`trigger: ${says}`, () => {
    const pipeline = { name: 'gate', triggers: [{ connection: 'gerrit', body }] };
    assert.equal(triggers(pipeline, event, change), fires);
  });
}

test('trigger: events of other connections do not count', () => {
  const pipeline = { name: 'gate', triggers: [{ connection: 'github', body: { event: 'comment-added' } }] };
  assert.equal(triggers(pipeline, comment, change), false);
});

test('trigger: a timer fires for its own pipeline', () => {
  const timer = { ...comment, type: 'timer', connection: 'timer', timespec: '0 0 * * *', pipeline: 'nightly' };
  const rules = [{ connection: 'timer', body: { time: ['0 0 * * *'] } }];
  assert.equal(triggers({ name: 'nightly', triggers: rules }, timer), true);
  assert.equal(triggers({ name: 'weekly', triggers: rules }, timer), false);
});

const requireRows: readonly (readonly [says: string, body: Body, of: Partial<Change>, met: boolean])[] = [
  ['open', { open: true }, {}, true],
  ['not open', { open: true }, { status: 'merged' }, false],
  ['current patch set', { 'current-patchset': true }, { current: false }, false],
  ['work in progress', { wip: false }, { wip: true }, false],
  ['a vote that is there', { approval: [{ 'Code-Review': 2 }] }, {}, true],
  ['one of several values', { approval: [{ 'Code-Review': [1, 2] }] }, {}, true],
  ['a vote that is not', { approval: [{ Verified: 1 }] }, {}, false],
  ['the voter', { approval: [{ 'Code-Review': 2, username: '^bert$' }] }, {}, false],
  ['new enough', { approval: [{ 'Code-Review': 2, 'newer-than': '2h' }] }, {}, true],
  ['too old', { approval: [{ 'Code-Review': 2, 'newer-than': '30m' }] }, {}, false],
  ['old enough', { approval: [{ 'Code-Review': 2, 'older-than': '30m' }] }, {}, true],
  ['a status', { status: 'NEW' }, {}, true],
  ['a branch is no change', { open: true }, { kind: 'branch' }, false],
  ['a hashtag', { hashtags: ['^ready$'] }, { hashtags: ['later', 'ready'] }, true],
  ['a hashtag that is missing', { hashtags: ['^ready$', 'gate'] }, { hashtags: ['ready'] }, false],
  ['a hashtag where none is known', { hashtags: 'ready' }, {}, false],
  ['a status of a check', { status: 'ci:unit:success' }, { statuses: ['ci:unit:success'] }, true],
  ['a pattern of it', { status: 'ci.*:unit:success' }, { statuses: ['ci[bot]:unit:success'] }, true],
  ['the name of a bot', { status: 'ci[bot]:unit:success' }, { statuses: ['ci[bot]:unit:success'] }, true],
  ['only its beginning', { status: 'ci:unit:success' }, { statuses: ['ci:unit:success-not'] }, false],
  ['a status that is not there', { status: 'ci:unit:success' }, {}, false],
  ['a reviewer who may write', { review: { type: 'approved', permission: 'write' } }, reviewed('admin'), true],
  ['a reviewer who may not', { review: { type: 'approved', permission: 'write' } }, reviewed('read'), false],
  ['a reviewer of whom nothing is known', { review: { permission: 'write' } }, {}, false],
  ['a remark where an approval is wanted', { review: { type: 'approved' } }, reviewed('write', 0), false],
  ['a remark', { review: { type: 'comment' } }, reviewed('write', 0), true],
  ['an approval where a remark is wanted', { review: { type: 'comment' } }, reviewed('write'), false],
  ['a refusal by its other name', { review: { type: 'request_changes' } }, reviewed('write', -1), true],
  ['a label that is called as a review is', { review: { type: 'approved' } }, { labels: ['review'] }, false],
  ['an approval', { approved: true }, { votes: [vote('approved', 1)] }, true],
  ['no approval', { approved: true }, { labels: ['approved'], currentLabels: ['approved'] }, false],
  ['no approval where none is wanted', { approved: false }, {}, true],
  ['an approval where none is wanted', { approved: false }, { votes: [vote('approved', 1)] }, false],
  ['a label', { labels: ['gate'] }, { labels: ['gate'], currentLabels: [] }, true],
  ['a label that is missing', { label: ['gate', 'x'] }, { labels: ['gate'] }, false],
  ['a vote that is called as a label is', { labels: 'gate' }, { labels: [], votes: [vote('gate', 1)] }, false],
  ['a label where labels are votes', { labels: 'gate' }, { votes: [vote('gate', 1)] }, true],
  ['a label of this patch set', { 'current-labels': 'gate' }, { labels: ['gate'], currentLabels: ['gate'] }, true],
  ['a label of an earlier one', { 'current-labels': 'gate' }, { labels: ['gate'], currentLabels: [] }, false],
  ['at least', { approval: [{ 'Code-Review': '>=2' }] }, { votes: [vote('Code-Review', 7)] }, true],
  ['less', { approval: [{ 'Code-Review': '>=2' }] }, { votes: [vote('Code-Review', 1)] }, false],
  ['at most', { approval: [{ 'Code-Review': '<=-1' }] }, { votes: [vote('Code-Review', -3)] }, true],
];

function vote(label: string, value: number): Change['votes'][number] {
  return { label, value, by: 'bert', time: now };
}

function reviewed(permission: 'read' | 'write' | 'admin', value = 1): Partial<Change> {
  return { votes: [{ ...vote('review', value), permission }] };
}

for (const [says, body, of, expected] of requireRows) {
  test(`requirement: ${says}`, () => {
    const rules = { require: [{ connection: 'gerrit', body }], reject: [] };
    assert.equal(requirementsMet(rules, { ...change, ...of }, now).ok, expected);
  });
}

test('requirement: what is rejected is named', () => {
  const rules = { require: [], reject: [{ connection: 'gerrit', body: { approval: [{ 'Code-Review': [1, 2] }] } }] };
  const met = requirementsMet(rules, change, now);
  assert.deepEqual(met, { ok: false, reason: 'A of p/a has the vote Code-Review 1/2' });
});

const rejectRows: readonly (readonly [says: string, body: Body, of: Partial<Change>, met: boolean])[] = [
  ['a hashtag', { hashtags: 'hold' }, { hashtags: ['on-hold'] }, false],
  ['another hashtag', { hashtags: 'hold' }, { hashtags: ['ready'] }, true],
  ['not the current patch set', { 'current-patchset': false }, { current: false }, false],
  ['a label', { labels: 'hold' }, { labels: ['hold'] }, false],
  ['another label', { labels: 'hold' }, { labels: ['held'] }, true],
  ['what is not approved', { approved: false }, {}, false],
  ['votes of a branch, which has none', { approval: [{ Verified: -1 }] }, { kind: 'branch', votes: [] }, false],
];

for (const [says, body, of, expected] of rejectRows) {
  test(`rejection: ${says}`, () => {
    const rules = { require: [], reject: [{ connection: 'gerrit', body }] };
    assert.equal(requirementsMet(rules, { ...change, ...of }, now).ok, expected);
  });
}

test('requirement: rules of other connections do not count', () => {
  const rules = { require: [{ connection: 'github', body: { open: false } }], reject: [] };
  assert.equal(requirementsMet(rules, change, now).ok, true);
});
