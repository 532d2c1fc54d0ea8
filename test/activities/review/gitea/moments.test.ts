import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCache } from '../../../../activities/git/cache.ts';
import { openGitea } from '../../../../activities/review/gitea/adapter.ts';
import { scratch } from '../../git/repository.ts';

const head = 'a'.repeat(40);
const time = '2026-11-28T08:00:00Z';
const bob = { login: 'bob' };
const repo = { full_name: 'team/tool' };
const pull = {
  ...{ number: 1, user: { login: 'ada' }, title: 'One', body: '', labels: [], state: 'open', html_url: 'http://x' },
  ...{ base: { ref: 'master', repo }, head: { sha: head }, created_at: time, updated_at: time },
};
const review = { id: 7, user: bob, state: 'APPROVED', commit_id: head, official: true, submitted_at: time };

/** A host whose answers to a path are made when it is asked. */
async function hostOf(t: TestContext, answers: Readonly<Record<string, () => unknown>>) {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
    // Lists end with their first page.
    const isFirst = ['1', null].includes(searchParams.get('page'));
    const answer = JSON.stringify((isFirst ? await answers[pathname.replace('/api/v1', '')]?.() : []) ?? []);
    response.writeHead(200, { 'content-type': 'application/json', 'x-total-count': '1' }).end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const directory = await scratch(t);
  const opened = openGitea({
    ...{ name: 'tea', repositories: join(directory, 'git'), page: '', owns: () => true },
    settings: {
      ...{ driver: 'gitea', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      token: { env: 'TOKEN' },
    },
    readSecret: async () => 'token',
    git: openCache({ directory: join(directory, 'cache'), remote: (project) => opened.host.gitRemote(project) }),
  });
  return opened.host;
}

test('I9: an approval that is given while the host is asked is told as one, then and ever after', async (t) => {
  const reviews: object[] = [];
  const timeline: object[] = [];
  const host = await hostOf(t, {
    '/user': () => ({ login: 'sluice-bot' }),
    [`${path}/pulls/1`]: () => pull,
    [`${path}/git/refs/pull/1/head`]: () => [{ ref: 'refs/pull/1/head', object: { sha: head } }],
    [`${path}/pulls/1/reviews`]: () => reviews,
    [`${path}/issues/1/timeline`]: async () => {
      // What was asked for at the same time is answered by now.
      await sleep(300);
      if (reviews.length > 0) return timeline;
      reviews.push(review);
      timeline.push({ id: 70, type: 'review', user: bob, created_at: time, review_id: 7 });
      return timeline;
    },
  });
  const actions = async () => (await host.readEvents('tea:team/tool#1', 0)).events.map(({ action }) => action);
  assert.deepEqual(await actions(), ['opened', 'approved']);
  assert.deepEqual(await actions(), ['opened', 'approved']);
});

const path = '/repos/team/tool';
const refs = () => [{ ref: 'refs/pull/1/head', object: { sha: head } }];

test('a label that is given while the host is asked is not taken for one of a head that comes meanwhile', async (t) => {
  const label = { id: 1, name: 'gate' };
  const given = '2026-11-28T08:00:09Z';
  let asked = 0;
  const host = await hostOf(t, {
    // The label comes after this first answer, and the head with the label.
    [`${path}/pulls/1`]: () => {
      asked += 1;
      return { ...pull, labels: [label], updated_at: asked === 1 ? time : given };
    },
    [`${path}/git/refs/pull/1/head`]: refs,
    [`${path}/issues/1/timeline`]: () => [{ id: 70, type: 'label', user: bob, created_at: given, body: '1', label }],
  });
  const change = await host.readChange('tea:team/tool#1');
  assert.deepEqual([change?.labels, change?.currentLabels, change?.votes], [['gate'], [], []]);
});

test("others' statuses that are good are an event, and the host's word of one leads to its pull request", async (t) => {
  const statuses: object[] = [{ id: 1, context: 'sluice/check', status: 'success' }];
  const host = await hostOf(t, {
    '/user': () => ({ login: 'sluice-bot' }),
    [`${path}/pulls`]: () => [pull],
    [`${path}/pulls/1`]: () => pull,
    [`${path}/git/refs/pull/1/head`]: refs,
    [`${path}/commits/${head}/statuses`]: () => statuses,
  });
  assert.equal((await host.readChange(`tea:team/tool@${head}`))?.id, 'tea:team/tool#1');
  assert.equal(await host.readChange(`tea:team/tool@${'b'.repeat(40)}`), null);
  const actions = async () => (await host.readEvents('tea:team/tool#1', 0)).events.map(({ action }) => action);
  assert.deepEqual(await actions(), ['opened']);
  statuses.push({ id: 2, context: 'jenkins', status: 'pending' });
  assert.deepEqual(await actions(), ['opened']);
  statuses.push({ id: 3, context: 'jenkins', status: 'success' });
  assert.deepEqual(
    [await actions(), await actions()],
    [
      ['opened', 'passed'],
      ['opened', 'passed'],
    ],
  );
});
