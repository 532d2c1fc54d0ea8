import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createAskForSecrets } from '../../../activities/secrets/ask.ts';

const request = {
  ...{ build: 'use-1', job: 'use', sources: [] },
  secrets: { uses: [], playbooks: [], exposure: 'redact' as const, seal: 'seal' },
};

/** A server on this machine that answers every question alike. */
async function answering(t: TestContext, status: number, body: unknown) {
  const asked: { readonly path: string | undefined; readonly token: string | undefined }[] = [];
  const server = createServer(({ url, headers }, response) => {
    asked.push({ path: url, token: headers.authorization });
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return { asked, ask: createAskForSecrets({ url, token: async () => 'worker' }) };
}

test('a worker asks with its token, within the machine also by plain HTTP', async (t) => {
  const opened = [{ secret: 's', data: {}, values: [] }];
  const { ask, asked } = await answering(t, 200, opened);
  assert.deepEqual(await ask(request), opened);
  assert.deepEqual(asked, [{ path: '/api/secrets', token: 'Bearer worker' }]);
});

test('a no is a verdict; everything else is tried again', async (t) => {
  const no = await answering(t, 409, { error: 'use is not as it was frozen' });
  await assert.rejects(no.ask(request), { name: 'Refused', message: 'use is not as it was frozen' });
  const away = await answering(t, 503, {});
  await assert.rejects(away.ask(request), { name: 'Error', message: /it answers 503/ });
});

test('another machine is not asked by plain HTTP, nor shown the token', async () => {
  const token = () => assert.fail('the token was read');
  const ask = createAskForSecrets({ url: 'http://192.0.2.1:8080', token });
  await assert.rejects(ask(request), /not sent over plain HTTP to another machine: give server\.url as https/);
});
