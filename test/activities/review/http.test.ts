import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HostAway } from '../../../activities/outcome.ts';
import { ask, usualPatience } from '../../../activities/review/http.ts';

const quick = { ...usualPatience, timeout: 20_000, pause: 1, longestPause: 5, tries: 4 };

type Reply = (response: ServerResponse) => void;
const status =
  (code: number, body = '', headers = {}): Reply =>
  (response) => {
    response.writeHead(code, headers).end(body);
  };
const cut: Reply = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('{"half":');
  setTimeout(() => response.destroy(), 10);
};

/** A host that gives these answers in turn, the last one for ever. */
async function host(t: TestContext, replies: readonly Reply[]) {
  let asked = 0;
  const server = createServer((_, response) => {
    (replies[Math.min(asked, replies.length - 1)] as Reply)(response);
    asked += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, asked: () => asked };
}

const text = ({ status: code, body }: { readonly status: number; readonly body: string }) => `${code} ${body}`;

for (const [says, replies, tries] of [
  ['503', [status(503), status(200, 'fine')], 2],
  ['429 with Retry-After', [status(429, '', { 'retry-after': '0' }), status(200, 'fine')], 2],
  ['502 and a cut body', [status(502, '<html>'), cut, status(200, 'fine')], 3],
] as const) {
  test(`what is read is asked for again after ${says}`, async (t) => {
    const { url, asked } = await host(t, replies);
    assert.equal(await ask({ url }, text, quick), '200 fine');
    assert.equal(asked(), tries);
  });
}

test('what may have been done is not done again, and what was not is', async (t) => {
  const broken = await host(t, [cut, status(200, 'fine')]);
  await assert.rejects(ask({ url: broken.url, method: 'POST' }, text, quick), HostAway);
  assert.equal(broken.asked(), 1);
  const busy = await host(t, [status(503), status(200, 'fine')]);
  assert.equal(await ask({ url: busy.url, method: 'POST' }, text, quick), '200 fine');
});

test('a secret that no header carries is told as such, and not shown', async (t) => {
  const { url, asked } = await host(t, [status(200, 'fine')]);
  const headers = { authorization: 'token open\u2013sesame' };
  await assert.rejects(ask({ url, headers }, text, quick), (error: Error) => {
    assert.match(error.message, /^127\.0\.0\.1:\d+ is not asked: its secret has a character/);
    assert.doesNotMatch(error.message, /sesame/);
    return true;
  });
  assert.equal(asked(), 0);
});

test('a port that HTTP clients refuse is told as such', async () => {
  await assert.rejects(
    ask({ url: 'http://127.0.0.1:10080/x' }, text, quick),
    /^HostAway: 127\.0\.0\.1:10080 is not asked: its port/,
  );
});

test('any other status is an answer, a redirect too', async (t) => {
  const { url, asked } = await host(t, [status(409, 'no'), status(302, '', { location: 'http://elsewhere.invalid/' })]);
  assert.equal(await ask({ url }, text, quick), '409 no');
  assert.equal(await ask({ url }, text, quick), '302 ');
  assert.equal(asked(), 2);
});

test('a host that stays away is given up, and the error has neither path nor secret', async (t) => {
  const { url, asked } = await host(t, [status(503)]);
  const secret = url.replace('http://', 'http://ada:hunter2@').replace('/x', '/x?token=hunter2');
  await assert.rejects(ask({ url: url.replace('/x', '/x?token=hunter2') }, text, quick), (error: Error) => {
    return error instanceof HostAway && !error.message.includes('hunter2') && error.message.includes('503');
  });
  assert.equal(asked(), 4);
  await assert.rejects(ask({ url: secret }, text, quick), (error: Error) => !error.message.includes('hunter2'));
});

test('an answer has a time and a size', async (t) => {
  const silent = await host(t, [() => {}]);
  await assert.rejects(ask({ url: silent.url }, text, { ...quick, timeout: 30, tries: 1 }), /within 0.03 s/);
  const large = await host(t, [status(200, 'x'.repeat(2_000))]);
  await assert.rejects(ask({ url: large.url }, text, { ...quick, size: 1_000, tries: 1 }), /more than 1000 bytes/);
});

test('a reader that cannot read an answer has it asked for again', async (t) => {
  const { url } = await host(t, [status(200, '<html>'), status(200, '{}')]);
  const json = ({ body }: { readonly body: string }) => {
    if (!body.startsWith('{')) throw new HostAway('no JSON');
    return JSON.parse(body) as unknown;
  };
  assert.deepEqual(await ask({ url }, json, quick), {});
});
