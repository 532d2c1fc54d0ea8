import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMarks } from '../../../activities/storage/marks.ts';
import { findTemporal } from '../../../infra/bootstrap/find.ts';
import { createInUse, inUsePath } from '../../../infra/compose/in-use.ts';
import { connect, type TemporalConnection } from '../../../infra/temporal/connection.ts';
import { openPayloads } from '../../../infra/temporal/open-payloads.ts';
import { aBuild, aBuildSet, aMirror, aRelease } from '../../server/records.ts';
import { startServer, type TestServer } from '../../server/server.ts';
import { type DevServer, startDevServer } from '../temporal/dev-server.ts';

const digit = (name: string) => name.repeat(64);
const digest = (name: string) => `sha256:${digit(name)}`;

let temporal: TemporalConnection;
let dev: DevServer;
let server: TestServer;
before(async () => {
  dev = await startDevServer(findTemporal() ?? '', { port: 0 });
  await dev.ready();
  temporal = await connect({ address: dev.address, namespace: 'default' });
  server = await startServer({ listInUse: () => inUse().look() });
});
after(async () => {
  await server?.stop();
  await temporal?.close();
  await dev?.stop();
});

const inUse = () =>
  createInUse({
    ...{ store: server.store, storage: join(server.data, 'storage'), keep: () => 30 * 86_400 },
    open: () => openPayloads(temporal.client),
  });

/** Starts a workflow that nobody works on: it stays open, with its input and its signals. */
async function open(workflowId: string, input: unknown) {
  const { client } = temporal;
  const handle = await client.workflow.start('gate', { workflowId, taskQueue: 'nobody', args: [input] });
  await handle.signal('any', { told: digest('b') });
  return handle;
}

test('R8: what records, releases and open workflows name is written down, and when who named it ended', async () => {
  const [recent, old] = [Date.now() - 5 * 86_400_000, Date.now() - 50 * 86_400_000];
  const { store } = server;
  const artifact = (name: string) => [{ name: 'x', url: `http://x/api/artifacts/${digit(name)}/x`, metadata: {} }];
  const repository = [{ name: 'r', url: 'http://x/repositories/test/c-1-deb/', metadata: { manifest: digest('1') } }];
  await store.saveBuild(aBuild({ id: 'running', endTime: null, artifacts: repository }));
  await store.saveBuild(aBuild({ id: 'recent', endTime: recent, artifacts: artifact('2') }));
  await store.saveBuild(aBuild({ id: 'old', endTime: old, artifacts: artifact('3') }));
  await store.saveBuildSet(aBuildSet({ endTime: recent }));
  const release = aRelease({ endTime: old });
  await store.saveRelease({ ...release, packages: release.packages.map((one) => ({ ...one, digest: digest('4') })) });
  await store.saveMirror(aMirror({ endTime: recent, artifacts: artifact('5') }));
  await open('gate/open', { stored: { digest: digest('a'), size: 1 } });
  const ended = await open('gate/ended', { stored: { digest: digest('c'), size: 1 } });
  await ended.terminate();
  const listed = async () => {
    const names: string[] = [];
    for await (const { workflowId } of temporal.client.workflow.list({ query: "ExecutionStatus = 'Running'" }))
      names.push(workflowId);
    return names.join();
  };
  while ((await listed()) !== 'gate/open') await sleep(50);

  const asked = await fetch(`${server.url}/api/storage/in-use`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}` },
  });
  const { time } = (await asked.json()) as { time: number };
  const found = readMarks(await readFile(inUsePath(join(server.data, 'storage')), 'utf8'));
  const forever = Number.POSITIVE_INFINITY;
  assert.equal(found.time, time);
  assert.deepEqual(Object.fromEntries([...found.marks.blobs].map(([name, until]) => [name[0], until]).sort()), {
    '1': forever,
    '2': recent,
    '4': forever,
    '5': recent,
    a: forever,
    b: forever,
  });
  assert.deepEqual([...found.marks.repositories], [['c-1-deb', forever]]);
  assert.deepEqual(
    [...found.marks.logs],
    [
      ['recent', recent],
      ['running', forever],
    ],
  );
});

test('only who may act has the list written', async () => {
  const { status } = await fetch(`${server.url}/api/storage/in-use`, { method: 'POST' });
  assert.equal(status, 401);
});

test('a list that cannot be made whole is not written', async () => {
  const failing = createInUse({
    ...{ store: server.store, storage: join(server.data, 'nowhere'), keep: () => 0 },
    open: async function* () {
      yield '';
      throw new Error('Temporal is gone');
    },
  });
  await assert.rejects(failing.look(), /Temporal is gone/);
  await assert.rejects(readFile(inUsePath(join(server.data, 'nowhere'))), /ENOENT/);
});
