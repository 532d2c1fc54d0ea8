import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createExclusions } from '../../../activities/test-service/exclusions.ts';

const list = { 'debian-12': { hello: ['slow.sh'] } };

/** A web server that answers with what it is told to. */
async function host(t: TestContext) {
  const answer = { status: 200, body: JSON.stringify(list), asked: 0 };
  const server = createServer((_, response) => {
    answer.asked += 1;
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const clock = { now: 0 };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json`;
  return { answer, clock, read: createExclusions(url, () => clock.now) };
}

test('A-064: the list is read once in ten minutes', async (t) => {
  const { answer, clock, read } = await host(t);
  assert.deepEqual(await Promise.all([read(), read()]), [list, list]);
  clock.now = 599_000;
  await read();
  assert.equal(answer.asked, 1);
  clock.now = 600_000;
  answer.body = '{}';
  assert.deepEqual(await read(), {});
  assert.equal(answer.asked, 2);
});

for (const [status, body, why] of [
  [404, '', /\/list\.json answers with 404$/],
  [200, '<html>', /is no JSON of the form/],
  [200, '{"debian-12": ["hello"]}', /is no JSON of the form/],
] as const) {
  test(`A-064: a list that is answered with ${status} ${body} is said, and asked for again`, async (t) => {
    const { answer, read } = await host(t);
    Object.assign(answer, { status, body });
    await assert.rejects(read(), (error: Error & { statusCode?: number }) => {
      assert.match(error.message, /^the list of excluded tests, tests\.exclusions, cannot be read: /);
      assert.match(error.message, why);
      return error.statusCode === 503;
    });
    Object.assign(answer, { status: 200, body: JSON.stringify(list) });
    assert.deepEqual(await read(), list);
  });
}
