import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workAtServer } from '../../cli/at-server.ts';
import type { ApiClient } from '../../cli/client.ts';
import { unavailable } from '../../cli/fault.ts';
import { aBuild } from '../server/records.ts';

const request = { kind: 'lint', format: 'deb' } as const;

/** A server that is away for so many questions once the build has begun, while its log is told and afterwards. */
function away(times: number): ApiClient {
  let looks = 0;
  const gone = () => {
    looks += 1;
    if (looks > 1 && looks <= times + 1) throw unavailable('no server answers');
  };
  const ended = () => looks > times + 1;
  return {
    post: async () => ({ build: 'b1' }),
    get: async () => {
      gone();
      const end = ended() ? { endTime: 2, result: 'FAILURE', summary: 'one error' } : { endTime: null };
      return { build: aBuild({ id: 'b1', artifacts: [], ...end } as never) };
    },
    stream: async function* () {
      gone();
      yield 'text';
    },
  } as unknown as ApiClient;
}

test('a server that is started again does not end the command', async () => {
  await assert.rejects(workAtServer(away(3), { request }), { status: 1, message: 'one error' });
});

test('one that stays away does, with where to look', async () => {
  const work = workAtServer(away(1_000), { request, patience: 500 });
  await assert.rejects(work, {
    status: 3,
    message: /^no server answers\nWhat was begun goes on there: `sluice logs b1`/,
  });
});

test('what the build waits for is told once, also where its log breaks off before it begins', async (t) => {
  const said = t.mock.method(process.stderr, 'write', () => true);
  let looks = 0;
  const told = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  let streams = 0;
  const client = {
    post: async () => ({ build: 'b1' }),
    get: async () => {
      looks += 1;
      // Before each look at what it waits for there is one at whether it has ended.
      if (looks === 2) told[0].resolve();
      if (looks === 4) told[1].resolve();
      const waits = { endTime: null, result: null, summary: 'waits for nodes: docker', waiting: true };
      const end = { endTime: 2, result: 'FAILURE', summary: 'one error' };
      return { build: aBuild({ id: 'b1', artifacts: [], ...(streams > 1 ? end : waits) } as never) };
    },
    stream: async function* () {
      await told[streams]?.promise;
      // What the look has found is said by then.
      await new Promise(setImmediate);
      streams += 1;
      if (streams === 1) throw new TypeError('terminated');
      yield 'text';
    },
  } as unknown as ApiClient;
  await assert.rejects(workAtServer(client, { request }), { message: 'one error' });
  const words = said.mock.calls.map(({ arguments: [text] }) => text);
  assert.deepEqual(words, ['waits for nodes: docker\n', 'text']);
});
