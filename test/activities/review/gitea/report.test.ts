import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReviewReport } from '../../../../activities/review/port.ts';
import { gateActor } from '../../../../pipelines/model/actor.ts';
import { listen } from './hooks.ts';
import { gitea, useGitea } from './site.ts';
import { hookSecret, openWorld, pathOf, until } from './world.ts';

const site = useGitea();
const options = { skip: gitea === null };
const events = ['pull_request', 'issue_comment', 'pull_request_review', 'push', 'create', 'delete'];
const one = { project: 'alpha', file: 'a', content: '1' };

interface Comment {
  readonly body: string;
  readonly user: { readonly login: string };
}

async function comments(change: string): Promise<readonly Comment[]> {
  return site().root.api<Comment[]>('GET', `${pathOf(change, 'issues')}/comments`);
}

/** A comment as Gitea's page shows it. */
async function rendered(text: string): Promise<string> {
  const { server, root } = site();
  const answer = await fetch(`${server.url}/api/v1/markup`, {
    method: 'POST',
    headers: { authorization: `token ${root.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ Context: '/ada/alpha', Mode: 'comment', Text: text }),
  });
  return answer.text();
}

function reportOn(change: string, key: string, more: Partial<ReviewReport>): ReviewReport {
  const about = { pipeline: 'check', action: 'success' };
  return { key, change, patchset: 1, message: key, about, body: {}, ...more };
}

test('one comment for a pipeline and a patch set: what is said last stands there', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  await host.report(gateActor, reportOn(id, 'started', {}));
  await host.report(gateActor, reportOn(id, 'done', { message: 'It went well.' }));
  await host.report(gateActor, reportOn(id, 'started', {}));
  await host.report(gateActor, reportOn(id, 'gate', { about: { pipeline: 'gate', action: 'start' } }));
  const texts = (await comments(id)).map(({ body }) => body.split('\n')[0]);
  assert.deepEqual(texts, ['It went well.', 'gate']);
  await push({ ...one, content: '2', amend: id });
  await host.report(gateActor, reportOn(id, 'again', { patchset: 2 }));
  assert.equal((await comments(id)).length, 3);
  const lines = Array.from(
    { length: 2_000 },
    (_, at) => `- job-${at} FAILURE in 1m 02s: é \u{1f600} ${'ü'.repeat(70)}`,
  );
  await host.report(gateActor, reportOn(id, 'long', { patchset: 2, message: lines.join('\n') }));
  const body = (await comments(id)).at(-1)?.body ?? '';
  assert.match(body, /^- job-0 .*ü`\n\n… the rest is left out: `sluice change show \S+`\n\n<!-- sluice /s);
});

test('I9: what a job said names nobody, leads nowhere and draws nothing', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  const said = 'no <a.h> for #1 and @ada: __init__ <img src="http://127.0.0.1/a.png"> ![b](http://127.0.0.1/b.png)';
  const message = `Build *failed*.\n\n- deb FAILURE in 1s: ${said}\n\ndeb: ${said}`;
  await host.report(gateActor, reportOn(id, 'hostile', { message, comments: [{ file: 'a', line: 1, message: said }] }));
  const [text] = (await comments(id)).map(({ body }) => body);
  const [review] = await site().root.api<{ readonly id: number }[]>('GET', `${pathOf(id, 'pulls')}/reviews`);
  const onLines = `${pathOf(id, 'pulls')}/reviews/${review?.id}/comments`;
  const [remark] = await site().root.api<{ readonly body: string }[]>('GET', onLines);
  for (const shown of [text, remark?.body]) {
    const html = await rendered(shown ?? '');
    assert.doesNotMatch(html, /<(a|img|strong) /);
    assert.match(html, /<code>no &lt;a\.h&gt; for #1 and @ada: __init__ &lt;img/);
  }
});

test('a mark that somebody else has written is theirs, and one within a message is text', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  await host.report(gateActor, reportOn(id, 'k1', {}));
  const [own] = await comments(id);
  const forged = own?.body.replace('k1', 'a forged one') ?? '';
  await site().ada.api('POST', `${pathOf(id, 'issues')}/comments`, { body: forged });
  await host.report(gateActor, reportOn(id, 'k2', { message: `quoted:\n${own?.body}` }));
  const now = await comments(id);
  assert.deepEqual(
    now.map(({ user, body }) => [user.login, body.split('\n')[0]]),
    [
      ['sluice-bot', 'quoted:'],
      ['ada', 'a forged one'],
    ],
  );
});

test('statuses are named after the pipeline, and an old report does not bring an old one back', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  const [pending, success] = ['pending', 'success'].map((status) => ({ status, comment: false }));
  await host.report(gateActor, reportOn(id, 'k1', { body: pending ?? {} }));
  await host.report(gateActor, reportOn(id, 'k2', { body: success ?? {} }));
  await host.report(gateActor, reportOn(id, 'k1', { body: pending ?? {} }));
  const { head, base } = await site().root.api<{
    head: { sha: string };
    base: { repo: { full_name: string } };
  }>('GET', pathOf(id, 'pulls'));
  const path = `/repos/${base.repo.full_name}/commits/${head.sha}/status`;
  const { statuses } = await site().root.api<{ statuses: { context: string; status: string }[] }>('GET', path);
  assert.deepEqual(
    statuses.map(({ context, status }) => [context, status]),
    [['sluice/check', 'success']],
  );
});

test('the gate’s own status comes after its merge', options, async (t) => {
  const { host, push, prepare, words } = await openWorld(t, site());
  const id = await push(one);
  const about = { pipeline: 'gate', action: 'success' };
  await host.report(gateActor, reportOn(id, 'k1', { about, body: { status: 'pending', comment: false } }));
  const tested = await prepare([id], 'merge');
  assert.equal((await host.submit(gateActor, { change: id, patchset: 1, tested })).kind, 'merged');
  await host.report(gateActor, reportOn(id, 'k2', { about, body: { status: 'success' } }));
  assert.equal((await words.verdicts(id))[0], 1);
});

test('labels and reviews are given and taken back, and a label that there is not is said', options, async (t) => {
  const { host, push, owner } = await openWorld(t, site());
  for (const name of ['ready', 'stale']) {
    await site().root.api('POST', `/repos/${owner}/alpha/labels`, { name, color: '#00aabb' });
  }
  const id = await push(one);
  const given = async () => {
    const { votes = [], labels, currentLabels } = (await host.readChange(id)) ?? {};
    return [votes.map(({ label, value }) => [label, value]), labels, currentLabels];
  };
  await given();
  // A label of the second in which the head was seen is not known to be of it.
  await sleep(1_100);
  const body = { label: ['ready', 'stale'], approval: true, comment: false };
  await host.report(gateActor, reportOn(id, 'k1', { body }));
  assert.deepEqual(await given(), [[['approved', 1]], ['ready', 'stale'], ['ready', 'stale']]);
  await host.report(gateActor, reportOn(id, 'k2', { body: { unlabel: 'stale', approval: false, comment: false } }));
  assert.deepEqual(await given(), [[], ['ready'], ['ready']]);
  const { events } = await host.readEvents(id, 0);
  assert.ok(events.slice(1).every(({ type }) => type === 'report'));
  const unknown = reportOn(id, 'k3', { body: { label: 'nowhere', comment: false } });
  await assert.rejects(host.report(gateActor, unknown), /nowhere/);
  await push({ ...one, content: '2', amend: id });
  assert.deepEqual(await given(), [[], ['ready'], []]);
});

test('I9: two reviewers at once each count, and each is an event', options, async (t) => {
  const { host, push, vote } = await openWorld(t, site());
  const id = await push(one);
  const { last } = await host.readEvents(id, 0);
  const other = site().root.api('POST', `${pathOf(id, 'pulls')}/reviews`, { event: 'REQUEST_CHANGES', body: 'not so' });
  await Promise.all([vote(id, 'Approved', 1), other]);
  const change = await host.readChange(id);
  assert.deepEqual(change?.votes.map(({ value }) => value).sort(), [-1, 1]);
  assert.equal(new Set(change?.votes.map(({ by }) => by)).size, 2);
  const { events } = await host.readEvents(id, last);
  assert.equal(new Set(events.map(({ account }) => account?.username)).size, 2);
});

test('the webhooks of a Gitea are signed, and read as what has happened', options, async (t) => {
  const { connection, push, vote, moveBranch, tag, owner, words } = await openWorld(t, site());
  const { url, posted } = await listen(t);
  const { root, ada, sluice } = site();
  const config = { url, content_type: 'json', secret: hookSecret };
  const hook = { type: 'gitea', active: true, events, config };
  for (const name of ['alpha', 'beta']) await root.api('POST', `/repos/${owner}/${name}/hooks`, hook);
  const webhook = connection.webhook ?? assert.fail('there is no webhook');
  const news = () =>
    posted.flatMap(({ headers, body }) => {
      const reading = webhook.read(headers, JSON.parse(body.toString()));
      return reading.kind === 'occurrence' ? reading.occurrence.news : [];
    });
  const looks = () => news().filter((each) => each.kind === 'look');
  const refs = () => news().flatMap((each) => (each.kind === 'event' && each.event.ref ? [each.event] : []));
  const untilLooks = async (work: () => Promise<unknown>) => {
    const before = looks().length;
    await work();
    await until(async () => looks().length > before);
  };
  let id = '';
  await untilLooks(async () => {
    id = await push(one);
  });
  await untilLooks(() => vote(id, 'Approved', 1));
  await untilLooks(() => ada.api('POST', `${pathOf(id, 'issues')}/comments`, { body: 'recheck' }));
  await untilLooks(() => push({ ...one, content: '2', amend: id }));
  await untilLooks(() => ada.api('PATCH', pathOf(id, 'pulls'), { body: 'Depends-On: x/y#1' }));
  await untilLooks(() => ada.api('PATCH', pathOf(id, 'pulls'), { state: 'closed' }));
  assert.ok(looks().every((each) => each.kind === 'look' && each.change === id));
  await until(async () => refs().some(({ action }) => action === 'edited'));
  const project = words.project('alpha');
  await moveBranch('alpha');
  await until(async () => refs().some(({ ref, oldrev }) => ref === 'refs/heads/master' && oldrev !== undefined));
  await tag('alpha', 'v1');
  await until(async () => refs().some(({ ref }) => ref === 'refs/tags/v1'));
  await sluice.api('POST', `/repos/${project}/branches`, { new_branch_name: 'next', old_ref_name: 'master' });
  await until(async () => refs().some(({ ref }) => ref === 'refs/heads/next'));
  await root.api('DELETE', `/repos/${project}/branches/next`);
  await until(async () => refs().some(({ ref, newrev }) => ref === 'refs/heads/next' && /^0+$/.test(newrev ?? '')));
  const known = refs().filter(({ type }) => type === 'gitea_push');
  const told = new Set(known.map((event) => JSON.stringify([event.ref, event.newrev])));
  assert.equal(told.size, known.length, `each once: ${JSON.stringify(known)}`);
  for (const { headers, body } of posted) {
    const { 'x-gitea-signature': signature } = headers;
    assert.equal(signature, createHmac('sha256', hookSecret).update(body).digest('hex'));
    assert.ok(await webhook.isSigned({ headers, body }));
    assert.ok(!(await webhook.isSigned({ headers, body: Buffer.concat([body, Buffer.from(' ')]) })));
  }
  const ids = posted.map(({ headers }) => headers['x-gitea-delivery']);
  assert.equal(new Set(ids).size, ids.length);
});

test('drafts are work in progress', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  await site().ada.api('PATCH', pathOf(id, 'pulls'), { title: 'WIP: not yet' });
  const change = await host.readChange(id);
  assert.deepEqual([change?.wip, change?.mergeable], [true, false]);
  const answer = await host.canMerge(id, []);
  assert.ok(!answer.ok && /work in progress/.test(answer.missing.join()));
  const { events } = await host.readEvents(id, 0);
  assert.deepEqual(
    events.map(({ action }) => action),
    ['opened', 'edited'],
  );
});

test('a list that was read before is read again where something changed', options, async (t) => {
  const { host, push, vote } = await openWorld(t, site());
  const [id] = [await push(one), await push({ ...one, project: 'beta' })];
  const votes = async () => {
    const open = await host.listOpenChanges();
    assert.equal(open.length, 2);
    return open.find((each) => each.id === id)?.votes.length;
  };
  assert.equal(await votes(), 0);
  await vote(id, 'Approved', 1);
  assert.equal(await votes(), 1);
  await vote(id, 'Approved', 0);
  assert.equal(await votes(), 0);
});

test('a connection is checked against the live host', options, async (t) => {
  const { connection, owner, reopen } = await openWorld(t, site());
  const lines = async () => (await connection.check?.()) ?? [];
  const before = await lines();
  const bad = before.filter(({ ok }) => !ok);
  assert.deepEqual(
    bad.map(({ name }) => name),
    ['webhook'],
    JSON.stringify(before),
  );
  assert.match(bad[0]?.message ?? '', /add an active webhook of JSON/);
  const config = { url: 'http://127.0.0.1:9/api/connection/tea/payload', content_type: 'json' };
  const hook = (name: string, told: readonly string[]) =>
    site().root.api('POST', `/repos/${owner}/${name}/hooks`, { type: 'gitea', active: true, events: told, config });
  for (const name of ['alpha', 'beta']) await hook(name, events);
  const lacking = (await lines()).find(({ name }) => name === 'webhook');
  assert.match(lacking?.message ?? '', /with all events in /, 'nobody tells of statuses');
  for (const name of ['alpha', 'beta']) await hook(name, [...events, 'status']);
  assert.deepEqual(
    (await lines()).filter(({ ok }) => !ok),
    [],
  );
  await site().root.api('DELETE', `/repos/${owner}/beta/collaborators/sluice-bot`);
  const rights = (await lines()).find(({ name }) => name === 'rights');
  assert.ok(rights !== undefined && !rights.ok && rights.message.includes(`${owner}/beta`));
  const away = await reopen({ url: 'http://127.0.0.1:9' }).check?.();
  assert.deepEqual(
    away?.map(({ name, ok }) => [name, ok]),
    [['login', false]],
  );
});

test('I9: findings are comments on their lines, each said once, and nothing that Sluice hears', options, async (t) => {
  const { host, push } = await openWorld(t, site());
  const id = await push(one);
  const found = { file: 'a', line: 1, message: 'warning: <b>odd</b>' };
  const whole = { file: 'a', message: 'error: about all of it' };
  const all = { body: { comment: false }, comments: [found, whole] };
  await host.report(gateActor, reportOn(id, 'check', all));
  await host.report(gateActor, reportOn(id, 'gate', { ...all, comments: [found, found] }));
  const reviews = await site().root.api<{ id: number; state: string }[]>('GET', `${pathOf(id, 'pulls')}/reviews`);
  const lines = await Promise.all(
    reviews.map(({ id: review }) =>
      site().root.api<{ path: string; position: number; body: string }[]>(
        'GET',
        `${pathOf(id, 'pulls')}/reviews/${review}/comments`,
      ),
    ),
  );
  assert.deepEqual(
    lines
      .flat()
      .map(({ path, body }) => [path, body])
      .sort(),
    [whole, found, found].map(({ file, message }) => [file, `\`${message}\``]),
    'what is said twice of a file is said twice',
  );
  const { events: heard } = await host.readEvents(id, 0);
  assert.deepEqual(
    heard.filter(({ type }) => type !== 'report').map(({ action }) => action),
    ['opened'],
  );
});
