import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { tellsAll } from '../../../../activities/review/gitea/check.ts';
import { createWebhook, readDelivery } from '../../../../activities/review/gitea/ingest.ts';

const secret = 'a secret of the test';
const webhook = createWebhook({ connection: 'tea', secret: { env: 'HOOK' }, readSecret: async () => secret });
const body = Buffer.from('{"a": "ä"}');
const right = createHmac('sha256', secret).update(body).digest('hex');
const other = createHmac('sha256', 'another').update(body).digest('hex');

const signatures: readonly (readonly [says: string, headers: Record<string, string | string[]>, signed: boolean])[] = [
  ['Gitea', { 'x-gitea-signature': right }, true],
  ['Forgejo', { 'x-forgejo-signature': right }, true],
  ['the common header', { 'x-hub-signature-256': `sha256=${right}` }, true],
  ['none', {}, false],
  ['another secret', { 'x-gitea-signature': other }, false],
  ['half a signature', { 'x-gitea-signature': right.slice(0, 32) }, false],
  ['an empty one', { 'x-gitea-signature': '' }, false],
  ['no hex', { 'x-gitea-signature': 'z'.repeat(64) }, false],
  ['SHA-1 alone', { 'x-hub-signature': `sha1=${right}` }, false],
  ['two of the same name', { 'x-gitea-signature': [right, right] }, false],
];

for (const [says, headers, signed] of signatures) {
  test(`a delivery signed by ${says} is ${signed ? 'taken' : 'not taken'}`, async () => {
    assert.equal(await webhook.isSigned({ headers, body }), signed);
  });
}

test('a body that was changed on the way is not taken, nor any without a secret', async () => {
  const headers = { 'x-gitea-signature': right };
  assert.equal(await webhook.isSigned({ headers, body: Buffer.from('{"a": "b"}') }), false);
  const open = createWebhook({ connection: 'tea', secret: undefined, readSecret: async () => '' });
  const empty = createHmac('sha256', '').update(body).digest('hex');
  assert.equal(await open.isSigned({ headers: { 'x-gitea-signature': empty }, body }), false);
});

const repository = { full_name: 'team/tool', updated_at: '2026-11-27T12:00:00Z' };
const sender = { login: 'ada', email: 'ada@example.org' };
const pull = { number: 7, updated_at: '2026-11-27T12:00:01Z' };
const [old, fresh, none] = ['a'.repeat(40), 'b'.repeat(40), '0'.repeat(40)];
const look = { kind: 'look', change: 'tea:team/tool#7' } as const;

function read(kind: string, content: unknown) {
  const reading = readDelivery('tea', { 'x-gitea-event': kind, 'x-gitea-delivery': 'd-1' }, content);
  return reading.kind === 'occurrence' ? reading.occurrence.news : reading.kind;
}

const changed = [
  'opened',
  'synchronized',
  'closed',
  'reopened',
  'label_updated',
  'label_cleared',
  'reviewed',
  'new one',
];
for (const action of changed) {
  test(`a pull request that is ${action} is looked at`, () => {
    assert.deepEqual(read('pull_request', { action, number: 7, pull_request: pull, repository, sender }), [look]);
  });
}

for (const kind of ['pull_request_approved', 'pull_request_rejected', 'pull_request_comment']) {
  test(`${kind}: the pull request is looked at`, () => {
    assert.deepEqual(read(kind, { action: 'reviewed', pull_request: pull, repository, sender }), [look]);
  });
}

test('a comment on a pull request is a look, one on an issue is nothing', () => {
  const comment = { action: 'created', issue: { number: 7 }, comment: { body: 'recheck' }, repository, sender };
  assert.deepEqual(read('issue_comment', { ...comment, is_pull: true }), [look]);
  assert.equal(read('issue_comment', { ...comment, is_pull: false }), 'unknown');
});

test('an edited description is an event: the host keeps no trace of it', () => {
  const news = read('pull_request', { action: 'edited', pull_request: pull, repository, sender });
  assert.ok(Array.isArray(news));
  const [first, second] = news;
  assert.deepEqual(first, look);
  assert.ok(second?.kind === 'event');
  const { type, action, change, time, account } = second.event;
  assert.deepEqual([type, action, change], ['gitea_pull_request', 'edited', look.change]);
  assert.deepEqual([time, account], [Date.parse(pull.updated_at), { username: 'ada', email: 'ada@example.org' }]);
});

const refs: readonly (readonly [says: string, kind: string, content: object, event: object | null])[] = [
  [
    'a branch that moved',
    'push',
    { ref: 'refs/heads/master', before: old, after: fresh },
    { ref: 'refs/heads/master', branch: 'master', oldrev: old, newrev: fresh },
  ],
  [
    'a new branch',
    'push',
    { ref: 'refs/heads/a/b', before: none, after: fresh },
    { ref: 'refs/heads/a/b', branch: 'a/b', oldrev: none, newrev: fresh },
  ],
  [
    'a new tag',
    'push',
    { ref: 'refs/tags/v1', before: none, after: fresh },
    { ref: 'refs/tags/v1', oldrev: none, newrev: fresh },
  ],
  [
    'a branch that is gone',
    'delete',
    { ref: 'old', ref_type: 'branch' },
    { ref: 'refs/heads/old', branch: 'old', newrev: none },
  ],
  ['a tag that is gone', 'delete', { ref: 'v1', ref_type: 'tag' }, { ref: 'refs/tags/v1', newrev: none }],
  ['a branch of a name that nobody here can have', 'push', { ref: 'refs/heads/../x', before: old, after: fresh }, null],
  ['a line end in a name', 'push', { ref: 'refs/heads/a\nb', before: old, after: fresh }, null],
  ['something else than a commit', 'push', { ref: 'refs/heads/master', before: old, after: '$(id)' }, null],
  ['another ref', 'push', { ref: 'refs/pull/7/head', before: old, after: fresh }, null],
];

for (const [says, kind, content, event] of refs) {
  test(`${kind}: ${says}`, () => {
    const news = read(kind, { ...content, repository, sender });
    if (event === null) return assert.equal(news, 'unknown');
    const account = { username: 'ada', email: 'ada@example.org' };
    const common = { type: 'gitea_push', driver: 'gitea', connection: 'tea', project: 'team/tool', account };
    assert.deepEqual(news, [
      { kind: 'event', event: { ...common, time: Date.parse(repository.updated_at), ...event } },
    ]);
  });
}

test('events of other kinds and projects of other names are nothing to us', () => {
  for (const kind of ['issues', 'wiki', 'release', 'create', '']) assert.equal(read(kind, { repository }), 'unknown');
  for (const full_name of ['../x', 'a/b/c', 'a b/c', 'x', '<b>/c', 'a/b\n']) {
    assert.equal(read('pull_request', { pull_request: pull, repository: { full_name } }), 'unknown', full_name);
  }
});

test('what is not the host’s is malformed, whatever JSON it is', () => {
  for (const content of [null, 1, 'text', [], {}, { repository: null }, { repository: { full_name: 7 } }]) {
    assert.equal(read('pull_request', content), 'malformed', JSON.stringify(content));
  }
  const number = { number: -1 };
  assert.equal(read('pull_request', { repository, pull_request: number }), 'malformed');
});

test('Forgejo and Gogs name their headers after themselves', () => {
  for (const name of ['forgejo', 'gogs']) {
    const headers = { [`x-${name}-event`]: 'pull_request', [`x-${name}-delivery`]: 'd-2' };
    const reading = readDelivery('tea', headers, { action: 'opened', pull_request: pull, repository });
    assert.deepEqual(reading, { kind: 'occurrence', occurrence: { id: 'd-2', news: [look] } });
  }
});

/** What a webhook of Forgejo has that is told of all events. */
const forgejo = [
  ...['create', 'delete', 'fork', 'push', 'issues', 'issue_assign', 'issue_label', 'issue_milestone', 'issue_comment'],
  ...['pull_request', 'pull_request_assign', 'pull_request_label', 'pull_request_milestone', 'pull_request_comment'],
  ...['pull_request_review_approved', 'pull_request_review_rejected', 'pull_request_review_comment'],
  ...['pull_request_sync', 'wiki', 'repository', 'release', 'package', 'pull_request_review_request'],
  ...['action_run_failure', 'action_run_recover', 'action_run_success'],
];

test('a webhook is asked for all events that its host has', () => {
  const rows: readonly (readonly [version: string, events: readonly string[], all: boolean])[] = [
    ['13.0.2+gitea-1.22.0', forgejo, true],
    ['1.21.11', forgejo, true],
    ['1.23.8', forgejo, true],
    ['1.24.0+dev-12-g0a1b2c3', forgejo, false],
    ['1.26.0', forgejo, false],
    ['development', forgejo, false],
    ['1.26.0', [...forgejo, 'status'], true],
    ['13.0.2+gitea-1.22.0', forgejo.filter((event) => event !== 'pull_request_sync'), false],
  ];
  for (const [version, events, all] of rows) assert.equal(tellsAll(events, version), all, `${version}: ${events}`);
});
