import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLiveStream } from '../../server/live.ts';
import { watch } from '../../server/watch.ts';
import { aBuild, aQueue } from './records.ts';
import { startServer } from './server.ts';

const limits = { beat: 60_000, most: 10 };

test('R13: of a thing that changes while the reader is busy, only the latest is kept', async () => {
  const live = createLiveStream();
  const stream = watch(live, new AbortController().signal, limits);
  assert.equal((await stream.next()).value, 'retry: 1000\n\n');
  for (let sequence = 1; sequence <= 500; sequence++) {
    live.publish({ type: 'queue', data: aQueue({ sequence }) });
    live.publish({ type: 'build', data: aBuild({ id: 'b1', attempt: sequence }) });
  }
  assert.match((await stream.next()).value ?? '', /^event: queue\ndata: .*"sequence":500\b/);
  assert.match((await stream.next()).value ?? '', /^event: build\ndata: .*"attempt":500\b/);
  const next = stream.next();
  live.publish({ type: 'build', data: aBuild({ id: 'b2' }) });
  assert.match((await next).value ?? '', /"b2"/, 'one that waits is woken');
  await stream.return(undefined);
  assert.equal(live.watchers, 0);
});

test('R13: a reader whom too much waits for is told so, and nothing is kept for it', async () => {
  const live = createLiveStream();
  const stream = watch(live, new AbortController().signal, limits);
  await stream.next();
  for (let index = 0; index <= limits.most; index++) live.publish({ type: 'build', data: aBuild({ id: `b${index}` }) });
  assert.equal(live.watchers, 0, 'it is not listened for any more');
  const last = await stream.next();
  assert.match(last.value ?? '', /^event: dropped\ndata: \{"reason":"you read too slowly.*begin again"\}\n\n$/);
  assert.equal((await stream.next()).done, true);
});

test('R13: a watcher that goes is forgotten, also while nothing happens', async () => {
  const live = createLiveStream();
  const gone = new AbortController();
  const stream = watch(live, gone.signal, limits);
  await stream.next();
  const next = stream.next();
  gone.abort();
  assert.equal((await next).done, true);
  assert.equal(live.watchers, 0);
});

test('R13: a silent stream shows signs of life', async () => {
  const stream = watch(createLiveStream(), new AbortController().signal, { beat: 1, most: 1 });
  await stream.next();
  assert.equal((await stream.next()).value, ': still here\n\n');
  await stream.return(undefined);
});

test('R13: five streams that nobody reads cost little, however much happens', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const { port } = new URL(server.url);
  const sockets = Array.from({ length: 5 }, () => connect(Number(port), '127.0.0.1'));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    await once(socket, 'connect');
    socket.pause();
    socket.write('GET /api/events HTTP/1.1\r\nHost: sluice\r\n\r\n');
  }
  const open = server.live.watchers;
  while (server.live.watchers < open + 5) await sleep(5);
  const summary = 'x'.repeat(20_000);
  const before = memory();
  for (let round = 0; round < 3_000; round++) {
    server.live.publish({ type: 'build', data: aBuild({ id: `b${round % 20}`, summary: `${round}${summary}` }) });
    if (round % 100 === 0) await new Promise(setImmediate);
  }
  const grown = (memory() - before) / 2 ** 20;
  t.diagnostic(`${grown.toFixed(0)} MiB more for ${(5 * 3_000 * 20_000) / 2 ** 20} MiB of events`);
  assert.ok(grown < 60, `${grown} MiB more`);
});

/** Heap and buffers. */
function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
