import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { StatusView } from '../../../server/api/types.ts';
import { createFastify } from '../../../server/fastify.ts';
import { createDoor } from '../../../server/ingest/door.ts';
import { registerWebhooks } from '../../../server/ingest/webhook.ts';
import { startServer, type TestServer } from '../server.ts';
import { occurrence, until, webhook } from './world.ts';

let server: TestServer;
let broken = false;
before(async () => {
  server = await startServer({
    ingest: {
      webhook: (name) => (name === 'hub' ? webhook : null),
      take: (connection, one) => {
        if (broken) throw new Error('the disk is full');
        return createDoor(server.store.occurrences, () => {})(connection, one);
      },
    },
  });
});
after(() => server.stop());

type Body = string | Uint8Array<ArrayBuffer>;

const post = (path: string, body: Body, headers: Record<string, string> = {}) =>
  fetch(server.url + path, { method: 'POST', headers: { 'x-signature': 'right', ...headers }, body });
const path = '/api/connection/hub/payload';
const kept = async () => (await server.store.occurrences.first('hub', 100)).map(({ occurrence: { id } }) => id);

test('what is signed and known is kept before it is answered for; told again it is accepted, and kept once', async () => {
  for (const id of ['d-1', 'd-1', 'd-2']) {
    const answer = await post(path, JSON.stringify({ id }), { 'content-type': 'application/json' });
    assert.deepEqual([answer.status, await answer.json()], [202, { ok: true }]);
  }
  assert.deepEqual(await kept(), ['d-1', 'd-2']);
});

const refused: readonly (readonly [string, number, string, Body, Record<string, string>, RegExp])[] = [
  ['a missing signature', 401, path, '{"id":"x"}', { 'x-signature': '' }, /signature is missing/],
  ['a wrong signature on what is no JSON', 401, path, 'x', { 'x-signature': 'wrong' }, /signature/],
  ['a form', 400, path, 'payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' }, /not JSON/],
  ['nothing', 400, path, '', {}, /not JSON/],
  ['bytes that are no UTF-8', 400, path, new Uint8Array([0x22, 0xff, 0x22]), {}, /not JSON/],
  ['JSON of another shape', 400, path, '[1]', {}, /there is no id/],
  ['an id that cannot be one', 400, path, '{"id":"a\\u0000"}', {}, /no id of printable characters/],
  ['more than 25 MiB', 413, path, new Uint8Array(25 * 1024 * 1024 + 1), {}, /too large/],
  ['a connection that there is not', 404, '/api/connection/none/payload', '{"id":"x"}', {}, /no connection none/],
];
for (const [what, status, at, body, headers, says] of refused) {
  test(`${what} is answered with ${status}, and nothing is kept`, async () => {
    const before = await kept();
    const answer = await post(at, body, headers);
    assert.equal(answer.status, status);
    assert.match(((await answer.json()) as { error: string }).error, says);
    assert.deepEqual(await kept(), before);
  });
}

test('who sends all before it listens is answered, too', async () => {
  const body = Buffer.alloc(40 * 1024 * 1024);
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
  await new Promise<void>((resolve, reject) => socket.write(body, (error) => (error ? reject(error) : resolve())));
  assert.match(await text(socket), /^HTTP\/1\.1 413 [\s\S]*too large/);
});

test('a delivery that breaks off is no error of the server', async () => {
  const app = createFastify({});
  const faults: { statusCode?: number; message: string }[] = [];
  app.setErrorHandler((error, _request, reply) => {
    faults.push(error as Error);
    return reply.code(400).send({});
  });
  registerWebhooks(app, { webhook: () => webhook, take: async () => true, count: () => {} });
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc`, () => socket.destroy());
  await until(() => faults.length === 1);
  assert.deepEqual([faults[0]?.statusCode, faults[0]?.message], [400, 'the body ends too early']);
  await app.close();
});

test('exactly 25 MiB are read', async () => {
  const json = JSON.stringify({ id: 'd-large', rest: '' });
  const answer = await post(path, json.replace('""', `"${'x'.repeat(25 * 1024 * 1024 - json.length)}"`));
  assert.equal(answer.status, 202);
});

test('a kind that nothing waits for is accepted and counted; so is everything else', async () => {
  assert.equal((await post(path, '{"kind":"star"}')).status, 202);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const counted = (answered: string) =>
    Number(new RegExp(`connection="hub",answered="${answered}"} (\\d+)`).exec(metrics)?.[1] ?? 0);
  assert.deepEqual(
    ['unknown', 'known', 'unsigned', 'malformed'].map((answered) => counted(answered)),
    [1, 1, 2, 5],
  );
  assert.match(metrics, /sluice_occurrences\{connection="hub",state="waiting"\} 3/);
});

test('what cannot be kept is answered with 503, for the host to post again', async () => {
  broken = true;
  const answer = await post(path, '{"id":"d-3"}');
  broken = false;
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '10']);
  assert.doesNotMatch(await answer.text(), /disk/);
  assert.equal((await post(path, '{"id":"d-3"}')).status, 202);
});

test('deliveries have a limit of their own', async () => {
  assert.equal((await post(path, '{"kind":"star"}')).headers.get('x-ratelimit-limit'), '60000');
});

test('the status counts what waits and what was given up', async () => {
  const { occurrences } = server.store;
  await occurrences.keep([{ connection: 'lab', occurrence: occurrence('1'), received: 1 }]);
  await occurrences.settle('lab', '1', { state: 'dead', reason: 'never' });
  const status = (await (await fetch(`${server.url}/api/status`)).json()) as StatusView;
  assert.deepEqual(
    status.occurrences?.find(({ connection }) => connection === 'lab'),
    { connection: 'lab', waiting: 0, dead: 1 },
  );
});
