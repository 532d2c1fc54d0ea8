import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createWebhook, readDelivery } from '../../../../activities/review/gitlab/ingest.ts';
import { isOccurrenceId } from '../../../../activities/review/port.ts';

const secret = 'a secret of the test';
const webhook = createWebhook({ connection: 'lab', secret: { env: 'HOOK' }, readSecret: async () => secret });
const body = Buffer.from('{}');

const tokens: readonly (readonly [says: string, headers: Record<string, string | string[]>, signed: boolean])[] = [
  ['the secret', { 'x-gitlab-token': secret }, true],
  ['none', {}, false],
  ['another', { 'x-gitlab-token': 'another secret here!' }, false],
  ['the begin of it', { 'x-gitlab-token': secret.slice(0, -1) }, false],
  ['more than it', { 'x-gitlab-token': `${secret}x` }, false],
  ['an empty one', { 'x-gitlab-token': '' }, false],
  ['two of the same name', { 'x-gitlab-token': [secret, secret] }, false],
];

for (const [says, headers, signed] of tokens) {
  test(`a delivery with ${says} as its token is ${signed ? 'taken' : 'not taken'}`, async () => {
    assert.equal(await webhook.isSigned({ headers, body }), signed);
  });
}

test('nothing is taken where no secret is set', async () => {
  const open = createWebhook({ connection: 'lab', secret: undefined, readSecret: async () => '' });
  assert.equal(await open.isSigned({ headers: { 'x-gitlab-token': '' }, body }), false);
  assert.equal(await open.isSigned({ headers: { 'x-gitlab-token': 'x' }, body }), false);
});

const key = Buffer.alloc(32, 7);
const signing = `whsec_${key.toString('base64')}`;
const sign = (text: string, by = key) => `v1,${createHmac('sha256', by).update(text).digest('base64')}`;
const stamped = { 'webhook-id': 'f5e5f430', 'webhook-timestamp': '1764000000' };

const signatures: readonly (readonly [says: string, signature: string, signed: boolean, secret?: string])[] = [
  ['a signature', sign('f5e5f430.1764000000.{}'), true],
  ['one of two', `${sign('x')} ${sign('f5e5f430.1764000000.{}')}`, true],
  ['that of another body', sign('f5e5f430.1764000000.{"a": 1}'), false],
  ['that of another time', sign('f5e5f430.1764000001.{}'), false],
  ['that of another key', sign('f5e5f430.1764000000.{}', Buffer.alloc(32, 8)), false],
  ['that of an empty key', sign('f5e5f430.1764000000.{}', Buffer.alloc(0)), false, 'whsec_'],
  ['that of a key that is too short', sign('f5e5f430.1764000000.{}', Buffer.alloc(1, 7)), false, 'whsec_Bw=='],
  ['that of a secret that is no signing token', sign('f5e5f430.1764000000.{}', Buffer.from(secret)), false, secret],
  ['none', '', false],
];

for (const [says, signature, signed, own = signing] of signatures) {
  test(`a delivery with ${says} by a signing token is ${signed ? 'taken' : 'not taken'}`, async () => {
    const hook = createWebhook({ connection: 'lab', secret: { env: 'HOOK' }, readSecret: async () => own });
    assert.equal(await hook.isSigned({ headers: { ...stamped, 'webhook-signature': signature }, body }), signed);
  });
}

type Payload = Record<string, unknown>;

/** What GitLab has recorded. */
function recorded(name: string): Payload {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'payloads', `${name}.json`), 'utf8')) as Payload;
}

const headers = { 'x-gitlab-event': 'Some Hook', 'x-gitlab-event-uuid': '13792a34-cac6-4fda-95a8-c58e00a3954e' };

function newsOf(content: unknown) {
  const reading = readDelivery('lab', headers, content);
  return reading.kind === 'occurrence' ? reading.occurrence.news : reading.kind;
}

for (const payload of ['merge_request', 'note_merge_request']) {
  test(`${payload}: the merge request is looked at`, () => {
    const content = recorded(payload);
    const { path_with_namespace: path } = content.project as { path_with_namespace: string };
    const { iid } = (content.merge_request ?? content.object_attributes) as { iid: number };
    assert.deepEqual(newsOf(content), [{ kind: 'look', change: `lab:${path}!${iid}` }]);
  });
}

test('a pipeline of a merge request is looked at, one of a branch is not', () => {
  const content = recorded('pipeline');
  const { path_with_namespace: path } = content.project as { path_with_namespace: string };
  assert.deepEqual(newsOf({ ...content, merge_request: { iid: 5 } }), [{ kind: 'look', change: `lab:${path}!5` }]);
  assert.equal(newsOf({ ...content, merge_request: null }), 'unknown');
});

test('a note on an issue is nothing that anybody waits for', () => {
  assert.equal(newsOf(recorded('note_issue')), 'unknown');
});

const pushes = ['push', 'tag_push'] as const;

for (const kind of pushes) {
  test(`${kind}: the ref and its commits are told`, () => {
    const content = recorded(kind) as { ref: string; before: string; after: string; user_username?: string };
    const [news] = newsOf({ ...content, user_username: 'jsmith' });
    assert.ok(typeof news === 'object' && news.kind === 'event');
    const { type, ref, oldrev, newrev, branch, account } = news.event;
    assert.deepEqual([type, ref, oldrev, newrev], ['gl_push', content.ref, content.before, content.after]);
    assert.equal(branch, kind === 'push' ? content.ref.slice('refs/heads/'.length) : undefined);
    assert.equal(account?.username, 'jsmith');
  });
}

test('a branch that was removed is told of by a commit of zeros', () => {
  const [news] = newsOf({ ...recorded('push'), after: '0'.repeat(40), commits: [] });
  assert.ok(typeof news === 'object' && news.kind === 'event');
  assert.equal(news.event.newrev, '0'.repeat(40));
});

/** As GitLab documents its system hooks; none has an `object_kind`. */
const fates: readonly (readonly [event: string, looks: boolean])[] = [
  ['project_rename', true],
  ['project_transfer', true],
  ['group_rename', true],
  ['user_create', false],
  ['constructor', false],
];

for (const [event, looks] of fates) {
  test(`${event} is ${looks ? 'a reason to look at all projects' : 'nothing that anybody waits for'}`, () => {
    const content = {
      event_name: event,
      path_with_namespace: 'jsmith/underscore',
      old_path_with_namespace: 'jsmith/overscore',
      project_id: 73,
    };
    assert.deepEqual(newsOf(content), looks ? [{ kind: 'projects' }] : 'unknown');
  });
}

const strange: readonly (readonly [says: string, change: Payload, comes: string])[] = [
  ['a project whose name climbs out', { project: { path_with_namespace: '../../etc/x' } }, 'unknown'],
  ['a project with markup in its name', { project: { path_with_namespace: 'a/<script>' } }, 'unknown'],
  ['a branch with a line end', { ref: 'refs/heads/a\nb' }, 'unknown'],
  ['a branch that climbs out', { ref: 'refs/heads/../x' }, 'unknown'],
  ['a commit that is none', { after: 'HEAD' }, 'unknown'],
  ['no project', { project: undefined }, 'malformed'],
  ['a project that is a text', { project: 'a/b' }, 'malformed'],
  ['a kind that is new', { object_kind: 'emoji' }, 'unknown'],
  ['a kind that is no text', { object_kind: 7 }, 'unknown'],
];

for (const [says, change, comes] of strange) {
  test(`a push with ${says} is ${comes}`, () => {
    assert.equal(newsOf({ ...recorded('push'), ...change }), comes);
  });
}

test('what is no object is no event', () => {
  for (const content of [null, [], 'x', 7]) {
    assert.equal(readDelivery('lab', {}, content).kind, 'malformed', JSON.stringify(content));
  }
});

test('what is posted twice is one occurrence; two events of one cause are two', () => {
  const idOf = (content: unknown, more: Record<string, string> = {}) => {
    const reading = readDelivery('lab', { ...headers, ...more }, content);
    assert.ok(reading.kind === 'occurrence');
    assert.ok(isOccurrenceId(reading.occurrence.id));
    return reading.occurrence.id;
  };
  const push = recorded('push');
  assert.equal(idOf(push), idOf(recorded('push')));
  assert.notEqual(idOf(push), idOf({ ...push, ref: 'refs/heads/other' }));
  const retried = { 'idempotency-key': 'f5e5f430-f57b-4e6e-9fac-d9128cd7232f' };
  assert.equal(idOf(push, retried), idOf(push, { ...retried, 'x-gitlab-event-uuid': 'another' }));
  assert.notEqual(idOf(push, retried), idOf(push));
  const hostile = { 'x-gitlab-event-uuid': `é\u0000 ../${'x'.repeat(5_000)}` };
  assert.notEqual(idOf(push, hostile), '');
});
