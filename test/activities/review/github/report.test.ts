import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReviewReport } from '../../../../activities/review/port.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { addComment } from './server/pull-routes.ts';
import { addRepository } from './server/state.ts';
import { idOf, openWorld, propose } from './world.ts';

type Words = Partial<ReviewReport> & Pick<ReviewReport, 'key'>;

const said = (change: string, words: Words): ReviewReport => ({
  change,
  patchset: 1,
  message: 'Build succeeded.',
  body: {},
  about: { pipeline: 'check', action: 'success' },
  ...words,
});

test('a check runs on from its beginning to its end, and anew for the next run', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const steps = ['queued', 'in_progress', 'failure', 'in_progress', 'success'];
  for (const [index, check] of steps.entries()) {
    const report = said(id, { key: `k${index}`, body: { check, comment: false } });
    await host.report(gateActor, report);
    await host.report(gateActor, report);
  }
  const shown = alpha.runs.map(({ given }) => [given.name, given.conclusion, given.head_sha === pull.head]);
  assert.deepEqual(shown, [
    ['sluice/check', 'failure', true],
    ['sluice/check', 'success', true],
  ]);
  assert.equal(alpha.runs[0]?.given.details_url, `https://ci.example.org/change/${encodeURIComponent(id)}`);
  assert.equal(pull.comments.length, 0);
  assert.deepEqual((await host.readChange(id))?.statuses, ['sluice-gate:sluice/check:success']);
});

test('a check shows how far its jobs are while it runs, and what it came to stays', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const change = idOf(alpha, pull);
  const progress = { change, patchset: 1, pipeline: 'check', title: '1 of 2 jobs is done', summary: '- lint: SUCCESS' };
  const outputs = () => alpha.runs.map(({ given }) => [given.status, given.output]);
  const tell = (more: object = {}) => host.progress?.(gateActor, { ...progress, ...more });
  const { title, summary } = progress;
  await tell();
  assert.deepEqual(outputs(), [], 'nothing has begun');
  await host.report(gateActor, said(change, { key: 'k1', body: { check: 'in_progress', comment: false } }));
  await tell({ patchset: 2 });
  await tell();
  assert.deepEqual(outputs(), [['in_progress', { title, summary }]]);
  // Whether it can be merged is of no interest: GitHub is not asked until it has computed that.
  [pull.test, world.computes, world.asked.length] = [null, false, 0];
  await tell();
  await host.report(gateActor, said(change, { key: 'k1', body: { check: 'in_progress', comment: false } }));
  assert.equal(world.asked.filter((one) => one.endsWith(`/pulls/${pull.number}`)).length, 2);
  world.computes = true;
  const end = host.report(gateActor, said(change, { key: 'k2', body: { check: 'success', comment: false } }));
  await Promise.all([end, tell({ title: '2 of 2' })]);
  await tell({ title: 'too late' });
  // Another process has said nothing of it before.
  await open().host.progress?.(gateActor, { ...progress, title: 'too late, too' });
  const [[status, output] = []] = outputs();
  assert.deepEqual([status, (output as { title?: string }).title], ['completed', 'Build succeeded.']);
  const token = open({ token: { env: 'TOKEN' } });
  await token.host.progress?.(gateActor, progress);
  await assert.rejects(async () => host.progress?.({ name: 'ada', kind: 'person', via: 'ssh' }, progress), {
    name: 'Denied',
  });
});

test('I9: words of progress that arrive after the end was reported by another process do not stay', async (t) => {
  const { world, alpha, host, open } = await openWorld(t);
  const change = idOf(alpha, await propose(world, alpha, { files: { a: '1' } }));
  const other = open().host;
  for (const [key, comment, title] of [
    ['k1', true, 'Build failed.'],
    ['k2', false, 'Ended: failure'],
  ] as const) {
    await host.report(gateActor, said(change, { key: `${key}s`, body: { check: 'in_progress', comment: false } }));
    world.before = async (request) => {
      if (!/^PATCH .*\/check-runs\//.test(request)) return;
      world.before = undefined;
      const end = { key, message: 'Build failed.\n\n- lint FAILURE', body: { check: 'failure', comment } };
      await other.report(gateActor, said(change, end));
    };
    const progress = { change, patchset: 1, pipeline: 'check', title: '1 of 2 jobs is done', summary: '- lint' };
    await host.progress?.(gateActor, progress);
    const { given } = alpha.runs.at(-1) ?? assert.fail();
    assert.equal((given.output as { title?: string }).title, title);
    assert.equal(given.conclusion, 'failure');
  }
});

test('remarks on lines go with a check, fifty at a time', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const comments = Array.from({ length: 120 }, (_, index) => ({
    file: 'a',
    line: index + 1,
    message: `remark ${index}`,
  }));
  const body = { check: 'failure', comment: false };
  await host.report(
    gateActor,
    said(idOf(alpha, pull), { key: 'k', body, comments: [...comments, { file: 'b', message: 'all' }] }),
  );
  const [run] = alpha.runs;
  assert.deepEqual([run?.batches, run?.annotations.length, alpha.runs.length], [[50, 50, 21], 121, 1]);
  assert.deepEqual(run?.annotations.at(-1), {
    ...{ path: 'b', start_line: 1, end_line: 1 },
    ...{ annotation_level: 'warning', message: 'all' },
  });
});

test('a beginning becomes its end in the same comment; the next run writes another', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const begin = { pipeline: 'check', action: 'start' };
  await host.report(gateActor, said(id, { key: 'k1', message: 'Starting check jobs.', about: begin }));
  addComment(world, pull, { user: 'ada', body: pull.comments[0]?.body ?? '' });
  await host.report(gateActor, said(id, { key: 'k2', message: 'Build failed.' }));
  await host.report(gateActor, said(id, { key: 'k3', message: 'Build succeeded.' }));
  await host.report(gateActor, said(id, { key: 'k3', message: 'Build succeeded, twice.' }));
  const texts = pull.comments.map(({ user, body }) => [user, body.split('\n', 1)[0]]);
  assert.deepEqual(texts, [
    ['sluice-gate[bot]', 'Build failed.'],
    ['ada', 'Starting check jobs.'],
    ['sluice-gate[bot]', 'Build succeeded, twice.'],
  ]);
});

test('with a token a status is given instead of a check, once', async (t) => {
  const { world, alpha, open } = await openWorld(t);
  const { host } = open({ token: { env: 'TOKEN' } });
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const id = idOf(alpha, pull);
  const report = said(id, { key: 'k', body: { status: 'success', 'status-url': 'https://ci.example.org/x' } });
  await host.report(gateActor, report);
  await host.report(gateActor, report);
  assert.deepEqual(
    alpha.statuses.map(({ by, given }) => [by, given]),
    [
      [
        'machine',
        {
          ...{ state: 'success', context: 'sluice/check', description: 'Build succeeded.' },
          target_url: 'https://ci.example.org/x',
        },
      ],
    ],
  );
  assert.deepEqual((await host.readChange(id))?.statuses, ['machine:sluice/check:success']);
  const check = said(id, { key: 'k2', body: { check: 'success' } });
  await assert.rejects(host.report(gateActor, check), /only an App can report a check/);
});

test('labels are set and taken, and a review is written once', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  pull.labels = ['old', 'kept'];
  const body = { comment: false, label: ['gate', 'kept'], unlabel: ['old', 'never'], review: 'request-changes' };
  const report = said(idOf(alpha, pull), { key: 'k', body });
  await host.report(gateActor, report);
  await host.report(gateActor, report);
  assert.deepEqual(pull.labels, ['kept', 'gate']);
  assert.deepEqual(
    pull.reviews.map(({ state, commit }) => [state, commit === pull.head]),
    [['CHANGES_REQUESTED', true]],
  );
});

test('a comment whose mark is of the older form is known again', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  const report = said(idOf(alpha, pull), { key: 'k' });
  await host.report(gateActor, report);
  const [comment] = pull.comments;
  assert.ok(comment);
  const { body } = comment;
  comment.body = body.replace(/<!-- sluice (\S+) (\S+) :\S+ -->/, '<!-- sluice:$2abcd:$1abcd:done -->');
  assert.notEqual(comment.body, body);
  await host.report(gateActor, report);
  assert.deepEqual([pull.comments.length, pull.comments[0]?.body], [1, body]);
});

test('a comment that is too long for GitHub is cut', async (t) => {
  const { world, alpha, host } = await openWorld(t);
  const pull = await propose(world, alpha, { files: { a: '1' } });
  await host.report(gateActor, said(idOf(alpha, pull), { key: 'k', message: `x${'y'.repeat(100_000)}\ud800` }));
  assert.ok((pull.comments[0]?.body.length ?? 0) < 65_536);
  assert.match(pull.comments[0]?.body ?? '', /the rest is left out: https:\/\/ci\.example\.org\/change\/\S+\n/);
});

test('the check of a connection says of each thing whether it is as Sluice needs it', async (t) => {
  const { world, connection, open } = await openWorld(t);
  const good = (await connection.check?.()) ?? [];
  assert.deepEqual(
    good.map(({ name, ok, message }) => [name, ok || message]),
    ['login', 'events', 'git', 'labels', 'rights', 'webhook', 'clock'].map((name) => [name, true]),
  );
  world.events = ['push'];
  world.permissions = { ...world.permissions, checks: 'read' };
  world.hook = { url: 'https://elsewhere.example.org/', content_type: 'form' };
  world.skew = 600_000;
  const bad = (await open({ approve: { label: 'ready' } }).check?.()) ?? [];
  const failing = bad.filter(({ ok }) => !ok).map(({ name }) => name);
  assert.deepEqual(failing, ['events', 'labels', 'rights', 'webhook', 'clock']);
  const text = bad.map(({ message }) => message).join('\n');
  for (const part of [
    'checks: write',
    'pull_request',
    'repository',
    'no label "ready"',
    '/api/connection/hub/payload',
    'behind',
  ]) {
    assert.ok(text.includes(part), `${part} is not in:\n${text}`);
  }
});

test('I9: a token is asked for in each repository of the connection: its rights, protection, webhooks', async (t) => {
  const { world, alpha, beta, open } = await openWorld(t);
  const other = await addRepository(world, 'acme/other');
  [other.mayWrite, other.hooks] = [false, []];
  const { check } = open({ token: { env: 'TOKEN' } });
  const told = async (name: string) => {
    const line = (await check?.())?.find((one) => one.name === name);
    return `${line?.ok} ${line?.message}`;
  };
  const rights = 'true the token has the scope repo; may write to 2 repositories';
  const unseen = 'only an administrator sees the protection of';
  const advice = 'if it names who may push, add the account';
  assert.equal(await told('rights'), `${rights}; ${unseen} acme/alpha, acme/beta: ${advice}`);
  alpha.mayAdminister = true;
  assert.equal(await told('rights'), `${rights}; ${unseen} acme/beta: ${advice}`);
  beta.mayWrite = false;
  assert.match(await told('rights'), /^false the token's account cannot write to acme\/beta: /);
  assert.match(
    await told('webhook'),
    /^true only an administrator sees the webhooks of acme\/alpha, acme\/beta: look for /,
  );
  alpha.hooks = [];
  assert.match(
    await told('webhook'),
    /^true only an .* of acme\/beta; none is right in acme\/alpha, and .* not shown /,
  );
  const config = { url: 'https://ci.example.org/api/connection/hub/payload', content_type: 'json', secret: '********' };
  const events = ['check_run', 'issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_thread'];
  const hook = { name: 'web', active: true, events: [...events, 'push', 'repository', 'status'], config };
  const { secret: _, ...unsigned } = config;
  alpha.hooks = [hook];
  world.orgHooks = [{ ...hook, config: { ...config, content_type: 'form' } }];
  for (const wrong of [
    { ...hook, events: ['push'] },
    { ...hook, config: unsigned },
  ]) {
    beta.hooks = [wrong];
    assert.match(
      await told('webhook'),
      /^false add an active webhook .*, pull_request_review_thread, .* in acme\/beta$/,
    );
  }
  world.orgHooks = [{ ...hook, events: ['*'] }];
  assert.equal(await told('webhook'), 'true each repository posts its events');
  world.skew = 600_000;
  assert.match(await told('clock'), /^false .* behind /);
  assert.ok(!world.asked.some((one) => one.includes('acme/other')), 'what is of no connection is left alone');
});
