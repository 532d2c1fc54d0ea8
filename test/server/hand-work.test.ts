import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import { type ByHandDeps, createByHand } from '../../server/by-hand.ts';
import { temporary } from '../activities/repository/packages.ts';

const ada: Actor = { name: 'ada', kind: 'person', via: 'token' };

/** Work by hand where no worker begins anything. */
async function withoutWorkers(t: TestContext) {
  const root = await temporary(t);
  const cancelled: string[] = [];
  const workflow = {
    start: async () => {},
    getHandle: (id: string) => ({ cancel: async () => void cancelled.push(id) }),
  };
  const byHand = createByHand({
    ...{ tenant: 'main', platforms: builtInPlatforms, workRoot: join(root, 'work'), limit: 10, patience: 100 },
    client: { workflow } as unknown as ByHandDeps['client'],
    blobs: createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' }),
    store: { listBuilds: async () => [] },
  });
  return { byHand, cancelled, onItsWay: join(root, 'work', 'by-hand') };
}

const request = { kind: 'lint', format: 'deb' } as const;

test('what no worker begins is called off, and said to be so', async (t) => {
  const { byHand, cancelled } = await withoutWorkers(t);
  await assert.rejects(byHand.begin(ada, { request, content: null }), { name: 'NotBegun', statusCode: 503 });
  assert.match(cancelled.join(), /lint-by-hand/);
});

test('content is taken up to a limit, and what a killed server has left of others goes', async (t) => {
  const { byHand, onItsWay } = await withoutWorkers(t);
  await mkdir(onItsWay, { recursive: true });
  await writeFile(join(onItsWay, 'left'), 'by a killed one');
  const { digest } = await byHand.take(ada, Readable.from([Buffer.from('12345'), Buffer.from('67890')]));
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  const more = Readable.from([Buffer.from('12345'), Buffer.from('678901')]);
  await assert.rejects(byHand.take(ada, more), { name: 'TooMuch', statusCode: 413 });
  assert.deepEqual(await readdir(onItsWay), []);
  await assert.rejects(byHand.begin(ada, { request, content: `sha256:${'e'.repeat(64)}` }), { name: 'BadName' });
});
