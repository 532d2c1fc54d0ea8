import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Api, createObserver } from '../../demo/observer.ts';
import type { StatusView } from '../../server/api/types.ts';

/** What the server shows at its so many-th status. */
interface Shown {
  readonly running: readonly string[];
  readonly last: string;
  readonly log: number;
}

/** A server whose state moves on with each status that is asked of it, and an observer without patience. */
async function observe(t: TestContext, shown: (look: number) => Shown) {
  let looks = 0;
  const server = createServer((_, response) => {
    response.setHeader('content-length', shown(looks).log).end();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const answers: Readonly<Record<string, () => unknown>> = {
    '/api/status': () => {
      looks += 1;
      return { running: shown(looks).running.map((id) => ({ id })) };
    },
    '/api/builds': () => [{ id: shown(looks).last }],
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api: Api = { url, get: async (path) => answers[path]?.() as never };
  const observer = createObserver(api, () => {}, { interval: 0, patience: 0 });
  return (found: (status: StatusView) => true | undefined) => observer.until('the end', found);
}

const still: Shown = { running: ['a'], last: 'a', log: 5 };
for (const [what, shown] of [
  ['the log of a running build grows', (look: number) => ({ ...still, log: look })],
  ['a build begins', (look: number) => ({ ...still, last: `b${look}` })],
  ['a build ends', (look: number) => ({ ...still, running: Array.from({ length: 50 - look }, (_, at) => `b${at}`) })],
] as const) {
  test(`the story goes on as long as ${what}`, async (t) => {
    let left = 10;
    const until = await observe(t, shown);
    const found = await until(() => {
      left -= 1;
      return left === 0 ? true : undefined;
    });
    assert.equal(found, true);
  });
}

test('the story ends where nothing goes on', async (t) => {
  const until = await observe(t, () => still);
  await assert.rejects(
    until(() => undefined),
    { message: 'the end did not come, and nothing went on for 0 seconds' },
  );
});
