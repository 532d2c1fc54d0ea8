import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createTestCallback } from '../../../activities/test-service/callback.ts';
import { testResult } from '../../../pipelines/test-service/result.ts';
import { temporary } from '../repository/packages.ts';

interface Heard {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A host that answers with these, one after the other, and the last of them from then on. */
async function host(t: TestContext, statuses: readonly number[]) {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    const { url, headers } = request;
    heard.push({ url, authorization: headers.authorization, body });
    const status = statuses[Math.min(heard.length, statuses.length) - 1] ?? 500;
    response.writeHead(status, { location: 'http://127.0.0.1:9/elsewhere' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const store = createFileBlobStore({ root: await temporary(t), baseUrl: 'http://sluice.example' });
  const result = testResult({
    result: { install_package: { exit_code: 0, stdout: 'Setting up hello\n', stderr: '' } },
    stats: { install_package: { start_ts: 1, finish_ts: 2, delta: 1 } },
  });
  const { digest } = await store.put(JSON.stringify(result));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`;
  const callback = createTestCallback(store, { url, token: async () => 'secret-of-ours' });
  const view = { state: 'SUCCESS', stages: [], result: store.url(digest, 'result.json') } as const;
  const post = (more: object = {}) =>
    callback.postTestResult({ task: 'bs-7', callback: '/tests/7/result/', view: { ...view, ...more } });
  return { heard, post, store };
}

test('A-060: the result and its times are posted to the configured host, with its token', async (t) => {
  const { heard, post } = await host(t, [200]);
  await post();
  assert.deepEqual(heard, [
    {
      ...{ url: '/base/tests/7/result/', authorization: 'Bearer secret-of-ours' },
      body: {
        api_version: '20210512',
        result: { install_package: { success: true, output: 'Setting up hello' } },
        stats: { install_package: { start_ts: 1, finish_ts: 2, delta: 1 } },
      },
    },
  ]);
});

test('A-060: it is posted again where somebody on the way says 502', async (t) => {
  const { heard, post } = await host(t, [502, 502, 204]);
  await post();
  assert.equal(heard.length, 3);
});

test('A-060: five further tries are all', async (t) => {
  const { heard, post } = await host(t, [502]);
  // Temporal would begin anew with what is no final word.
  const final = (error: Error) => /answers 502/.test(error.message) && 'nonRetryable' in error && error.nonRetryable;
  await assert.rejects(post(), (error: Error) => final(error) === true);
  assert.equal(heard.length, 6);
});

test('A-060: a refusal is final, and a redirect is not followed: the token would go with it', async (t) => {
  for (const status of [403, 302]) {
    const { heard, post } = await host(t, [status]);
    await assert.rejects(post(), new RegExp(`the callback was answered with ${status}`));
    assert.equal(heard.length, 1);
  }
});

test('A-061: of a revoked task that is posted', async (t) => {
  const { heard, post } = await host(t, [200]);
  await post({ state: 'REVOKED', result: undefined });
  assert.deepEqual(heard[0]?.body, { api_version: '20210512', result: { revoked: true }, stats: {} });
});

test('without a host nothing is posted', async (t) => {
  const store = createFileBlobStore({ root: join(await temporary(t), 'x'), baseUrl: '' });
  const posting = createTestCallback(store).postTestResult({
    ...{ task: 'bs-7', callback: '/x' },
    view: { state: 'SUCCESS', stages: [] },
  });
  await assert.rejects(posting, /tests\.callback in sluice\.yaml/);
});
