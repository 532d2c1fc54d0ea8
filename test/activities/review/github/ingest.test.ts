import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { sign } from '@octokit/webhooks-methods';
import { createWebhook } from '../../../../activities/review/github/ingest.ts';
import { parsePullName } from '../../../../activities/review/github/names.ts';
import { isOccurrenceId, type News, type Reading, type Webhook } from '../../../../activities/review/port.ts';
import type { GithubSettings } from '../../../../activities/review/settings.ts';

const require = createRequire(import.meta.url);
const examples = require('@octokit/webhooks-examples') as readonly { name: string; examples: readonly unknown[] }[];

const app = 4711;
const settings: GithubSettings = {
  driver: 'github',
  url: 'https://github.com',
  app: { id: app, key: { env: 'KEY' } },
  webhookSecret: { env: 'HOOK' },
};
const webhook = createWebhook({ connection: 'hub', settings, readSecret: async () => 'secret' }) as Webhook;

const headers = (event: string, id = 'f0f0') => ({ 'x-github-event': event, 'x-github-delivery': id });
const read = (event: string, content: unknown): Reading => webhook.read(headers(event), content);
const newsOf = (event: string, content: unknown): readonly News[] => {
  const reading = read(event, content);
  return reading.kind === 'occurrence' ? reading.occurrence.news : [];
};

const handled = [
  'pull_request',
  'pull_request_review',
  'pull_request_review_thread',
  'issue_comment',
  'push',
  'status',
  'check_run',
  'check_suite',
  'repository',
];

for (const { name, examples: payloads } of examples) {
  test(`recorded payloads of ${name} are read`, () => {
    for (const payload of payloads) {
      const reading = read(name, payload);
      assert.notEqual(reading.kind, 'malformed');
      if (!handled.includes(name)) assert.equal(reading.kind, 'unknown');
      if (reading.kind !== 'occurrence') continue;
      assert.ok(isOccurrenceId(reading.occurrence.id));
      for (const one of reading.occurrence.news) {
        const change = one.kind === 'look' ? one.change : one.kind === 'event' ? one.event.change : undefined;
        if (change !== undefined) assert.notEqual(parsePullName(change, { connection: 'hub', url: '' }), null, change);
      }
    }
  });
}

test('of what is handled, recorded payloads come to something', () => {
  // The recorded comments are of issues, the checks ours or not asked for.
  const some = ['pull_request', 'pull_request_review', 'push', 'status'];
  const empty = some.filter((kind) => {
    const payloads = examples.find(({ name }) => name === kind)?.examples ?? [];
    return !payloads.some((payload) => newsOf(kind, payload).length > 0);
  });
  assert.deepEqual(empty, []);
});

test('what becomes of a repository is a reason to look at all, its description is not', () => {
  const recorded = examples.find(({ name }) => name === 'repository')?.examples[0] as object;
  const renamed = { ...recorded, action: 'renamed', repository: { full_name: 'a name/that no project has' } };
  assert.deepEqual(newsOf('repository', renamed), [{ kind: 'projects' }]);
  assert.deepEqual(read('repository', { ...recorded, action: 'edited' }), { kind: 'unknown' });
  for (const content of [{ ...recorded, action: 7 }, null, []])
    assert.equal(read('repository', content).kind, 'malformed');
});

test('GitHub signs the bytes that it posts, with the secret', async () => {
  const body = Buffer.from('{"zen":"Ütf"}');
  const signed = { 'x-hub-signature-256': await sign('secret', body.toString()) };
  assert.equal(await webhook.isSigned({ headers: signed, body }), true);
  const others = [
    {},
    { 'x-hub-signature-256': await sign('other', body.toString()) },
    { 'x-hub-signature-256': 'sha256=' },
    { 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` },
    { 'x-hub-signature': signed['x-hub-signature-256'] },
  ];
  for (const given of others) assert.equal(await webhook.isSigned({ headers: given, body }), false);
  assert.equal(await webhook.isSigned({ headers: signed, body: Buffer.from('{"zen":"Utf"}') }), false);
  assert.equal(await webhook.isSigned({ headers: signed, body: Buffer.alloc(0) }), false);
  const { webhookSecret: _, ...rest } = settings;
  const open = createWebhook({ connection: 'hub', settings: rest, readSecret: async () => 'secret' });
  assert.equal(await open.isSigned({ headers: signed, body }), false, 'without a secret of ours none is right');
});

const sha = 'a'.repeat(40);
const repository = { full_name: 'acme/alpha', pushed_at: 1_700_000_000 };
const sender = { login: 'ada' };

test('a delivery is named by its id, however often it comes', () => {
  const content = { action: 'opened', number: 7, pull_request: { number: 7 }, repository };
  const twice = [
    webhook.read(headers('pull_request', 'x-1'), content),
    webhook.read(headers('pull_request', 'x-1'), content),
  ];
  const news = [{ kind: 'look', change: 'hub:acme/alpha#7' }];
  for (const one of twice) assert.deepEqual(one, { kind: 'occurrence', occurrence: { id: 'x-1', news } });
  assert.equal(webhook.read({ 'x-github-event': 'push' }, content).kind, 'malformed');
});

test('a comment is looked at where it is of a pull request', () => {
  const issue = { number: 7, pull_request: {} };
  const news = newsOf('issue_comment', { action: 'created', issue, repository });
  assert.deepEqual(news, [{ kind: 'look', change: 'hub:acme/alpha#7' }]);
  assert.deepEqual(newsOf('issue_comment', { action: 'created', issue: { number: 7 }, repository }), []);
});

test('a push is of a branch or a tag, from and to a commit', () => {
  const push = { ref: 'refs/heads/a/b', before: sha, after: '0'.repeat(40), repository, sender, head_commit: null };
  const common = { driver: 'github', connection: 'hub', project: 'acme/alpha', time: 1_700_000_000_000 };
  const account = { username: 'ada' };
  const event = {
    ...common,
    type: 'push',
    ref: 'refs/heads/a/b',
    branch: 'a/b',
    oldrev: sha,
    newrev: push.after,
    account,
  };
  assert.deepEqual(newsOf('push', push), [{ kind: 'event', event }]);
  const { branch: _, ...tag } = event;
  assert.deepEqual(newsOf('push', { ...push, ref: 'refs/tags/v1' }), [
    { kind: 'event', event: { ...tag, ref: 'refs/tags/v1' } },
  ]);
});

const eventOf = (news: readonly News[]) => news.flatMap((one) => (one.kind === 'event' ? [one.event] : []));
const run = {
  name: 'sluice/check',
  head_sha: sha,
  conclusion: 'failure',
  completed_at: '2026-01-01T00:00:00Z',
  check_suite: { updated_at: '2026-01-02T00:00:00Z' },
  app: { id: app, slug: 'gate' },
};

test('the button of one of our checks asks for it, the one of a suite for all of ours', () => {
  const one = eventOf(newsOf('check_run', { action: 'rerequested', check_run: run, repository, sender }));
  assert.deepEqual(
    one.map(({ type, action, check, change, time }) => [type, action, check, change, time]),
    [
      [
        'check_run',
        'rerequested',
        'gate:sluice/check:failure',
        `hub:acme/alpha@${sha}`,
        Date.parse('2026-01-02T00:00:00Z'),
      ],
    ],
  );
  const suite = { head_sha: sha, conclusion: 'failure', updated_at: '2026-01-02T00:00:00Z', app: run.app };
  const all = eventOf(newsOf('check_suite', { action: 'rerequested', check_suite: suite, repository, sender }));
  assert.deepEqual(
    all.map(({ action, check }) => [action, check]),
    [
      ['rerequested', 'gate:sluice/check:failure'],
      ['rerequested', 'gate:sluice/gate:failure'],
    ],
  );
});

test('what Sluice itself says is no news, what others check is', () => {
  const other = { ...run, name: 'unit', app: { id: 1, slug: 'ci' } };
  const told = (action: string, check: object) =>
    eventOf(newsOf('check_run', { action, check_run: check, repository }));
  assert.deepEqual(told('completed', run), []);
  assert.deepEqual(told('created', run), []);
  assert.deepEqual(told('rerequested', other), []);
  assert.deepEqual(
    told('completed', other).map(({ check }) => check),
    ['ci:unit:failure'],
  );
  const status = (context: string) => newsOf('status', { sha, context, state: 'success', repository, sender });
  assert.deepEqual(status('sluice/check'), []);
  assert.deepEqual(
    eventOf(status('lint')).map(({ action, status: named }) => [action, named]),
    [['status', 'ada:lint:success']],
  );
});

for (const name of ['../x', 'a/b/c', 'a\nb/c', '<b>/x', 'a/b.git', 'a', '-a/b', `a/${'b'.repeat(300)}`, 'a/\ud800']) {
  test(`hostile: a repository called ${JSON.stringify(name).slice(0, 40)} is none of ours`, () => {
    const content = { action: 'opened', number: 7, pull_request: { number: 7 }, repository: { full_name: name } };
    assert.deepEqual(read('pull_request', content), { kind: 'unknown' });
  });
}

for (const content of [null, 7, [], 'text', {}, { repository: null }, { repository: { full_name: 7 } }]) {
  test(`a body that is ${JSON.stringify(content)} is none of a pull request`, () => {
    assert.equal(read('pull_request', content).kind, 'malformed');
  });
}
