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
  const path = '/repos/team/tool';
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
