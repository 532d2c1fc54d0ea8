import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stream } from '../../../activities/review/port.ts';
import { listenToStreams } from '../../../infra/compose/streams.ts';

type Listener = Parameters<Stream['listen']>[0];

const logger = { warn: () => {}, info: () => {} };
const occurrence = { id: 'e-1', news: [] };

test('what a stream tells goes to the door in its name; trouble is told until it is heard again', async () => {
  const taken: string[] = [];
  const { promise, resolve } = Promise.withResolvers<Listener>();
  const stream: Stream = {
    listen(listener) {
      resolve(listener);
      return new Promise((done) => listener.signal.addEventListener('abort', () => done()));
    },
  };
  const streams = listenToStreams({
    connections: [
      { name: 'git', stream: null },
      { name: 'review', stream },
    ],
    take: async (connection, { id }) => taken.push(`${connection} ${id}`) > 0,
    logger,
  });
  const listener = await promise;
  assert.deepEqual(streams.unheard(), []);
  listener.warn('review does not answer');
  assert.deepEqual(streams.unheard(), [{ connection: 'review', reason: 'review does not answer' }]);
  listener.heard();
  assert.deepEqual(streams.unheard(), []);
  await listener.take(occurrence);
  assert.deepEqual(taken, ['review e-1']);
  await streams.stop();
  assert.equal(listener.signal.aborted, true);
  assert.deepEqual(streams.unheard(), [], 'an end that was asked for is no trouble');
});

test('a stream that ends or throws is begun again, and said not to be heard meanwhile', async () => {
  let begun = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stream: Stream = {
    async listen({ heard }) {
      begun += 1;
      if (begun === 1) throw new Error('connection refused');
      if (begun === 2) return heard();
      resolve();
    },
  };
  const deps = { connections: [{ name: 'review', stream }], take: async () => true, logger, pause: 1 };
  const streams = listenToStreams(deps);
  await promise;
  assert.equal(streams.unheard()[0]?.connection, 'review');
  await streams.stop();
});

test('a stream that does not let go does not keep the server', async () => {
  const stream: Stream = { listen: () => new Promise(() => {}) };
  const streams = listenToStreams({ connections: [{ name: 'review', stream }], take: async () => true, logger });
  await streams.stop();
});
