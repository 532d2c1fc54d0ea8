import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { openClient } from '../../../../activities/review/gitea/client.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const token = 'canary-token-5c1f';
const json = (value: unknown, headers = {}): Answer => {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };
};
const status = (code: number, body: string, headers = {}): Answer => {
  return (_request, response) => void response.writeHead(code, headers).end(body);
};
const cut: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"version": "1.');
  setTimeout(() => response.destroy(), 10);
};
const half = status(200, '{"version": "1.');
const html = status(200, '<html><body>Please log in</body></html>');

/** A host that gives these answers one after the other, the last again and again. */
async function hostOf(t: TestContext, ...answers: Answer[]) {
  const asked: { readonly url: string; readonly method: string; readonly authorization: string }[] = [];
  const server = createServer((request, response) => {
    const { url = '', method = '', headers } = request;
    asked.push({ url, method, authorization: headers.authorization ?? '' });
    request.resume();
    request.on('end', () => (answers.length > 1 ? answers.shift() : answers[0])?.(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sub`;
  const client = openClient({ connection: 'tea', url, token: { env: 'TOKEN' }, readSecret: async () => token });
  return { client, asked };
}

const version = z.object({ version: z.string() });
const good = json({ version: '1.26' });

const away: readonly (readonly [says: string, answer: Answer])[] = [
  ['a 503', status(503, 'later', { 'retry-after': '0' })],
  ['a 429', status(429, 'slow', { 'retry-after': '0' })],
  ['a 502 of a proxy', status(502, '<html>')],
];
for (const [says, answer] of away) {
  test(`after ${says} it is asked again`, async (t) => {
    const { client, asked } = await hostOf(t, answer, answer, good);
    assert.deepEqual(await client.get('/version', version), { version: '1.26' });
    assert.equal(asked.length, 3);
    assert.deepEqual(asked[0], { url: '/sub/api/v1/version', method: 'GET', authorization: `token ${token}` });
  });
}

for (const [says, answer] of [
  ['HTML', html],
  ['half a body', half],
  ['a cut body', cut],
] as const) {
  test(`${says} instead of JSON is no answer: it is asked again`, async (t) => {
    const { client } = await hostOf(t, answer, good);
    assert.deepEqual(await client.get('/version', version), { version: '1.26' });
  });
}

test('what may have been done is not done twice: who asked looks what has become of it', async (t) => {
  const { client, asked } = await hostOf(t, cut, good);
  await assert.rejects(client.send('POST', '/repos/a/b/pulls/1/merge', { Do: 'merge' }), { name: 'HostAway' });
  assert.equal(asked.length, 1);
});

test('what the host declines is said in its words, on one line, without the token', async (t) => {
  const { client } = await hostOf(t, status(405, JSON.stringify({ message: 'not\nallowed <b>' })));
  const error = await client.send('POST', '/repos/a/b/pulls/1/merge', {}).catch((reason: Error) => reason);
  assert.ok(error instanceof Error);
  assert.equal(error.message, 'tea declines POST /repos/a/b/pulls/1/merge (405): not allowed <b>');
  const refused = await hostOf(t, status(401, token));
  const second = await refused.client.get('/user', version).catch((reason: Error) => reason);
  assert.ok(second instanceof Error && !second.message.includes(token));
});

test('what is somewhere else now is not there, and the token does not follow', async (t) => {
  const other = await hostOf(t, good);
  const { client } = await hostOf(t, status(301, '', { location: 'http://127.0.0.1:9/' }));
  assert.equal(await client.find('/repos/a/b', version), null);
  assert.deepEqual(await client.list('/repos/a/b/branches', { schema: z.array(version) }), []);
  assert.equal(other.asked.length, 0);
});

test('a form that is not known is no answer, and says where', async (t) => {
  const { client } = await hostOf(t, json({ version: 7 }));
  const error = await client.get('/version', version).catch((reason: Error) => reason);
  assert.ok(error instanceof Error);
  assert.match(error.message, /answers \/version in a form that is not known at version/);
});

test('lists are read to their end, as the host counts them or not', async (t) => {
  const page = (from: number) => json(Array.from({ length: 2 }, (_, index) => from + index));
  const counted = (from: number) => json([from, from + 1], { 'x-total-count': '4' });
  const schema = z.array(z.number());
  const first = await hostOf(t, page(1), page(3), json([]));
  assert.deepEqual(await first.client.list('/x', { schema }), [1, 2, 3, 4]);
  const second = await hostOf(t, counted(1), counted(3));
  assert.deepEqual(await second.client.list('/x?state=open', { schema }), [1, 2, 3, 4]);
  assert.deepEqual(
    second.asked.map(({ url }) => url),
    ['/sub/api/v1/x?state=open&limit=50&page=1', '/sub/api/v1/x?state=open&limit=50&page=2'],
  );
  const third = await hostOf(t, json([1], { 'x-total-count': '1' }), json([2], { 'x-total-count': '1' }), json([]));
  assert.deepEqual(await third.client.list('/x', { schema, uncounted: true }), [1, 2]);
});

test('the clock of a host that is ten minutes off is seen', async (t) => {
  const date = new Date(Date.now() - 600_000).toUTCString();
  const { client } = await hostOf(t, json({ version: '1' }, { date }));
  assert.ok(Math.abs((await client.skew()) + 600_000) < 30_000);
});
