import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../infra/store/store.ts';
import { open, until } from './world.ts';

test('a server that is killed between accepting and handing on loses nothing, and does nothing twice', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-killed-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [place, done] = [join(directory, 'store'), join(directory, 'done')];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed.ts'), place, done], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [url] = (await once(child.stdout, 'data')).map((chunk) => String(chunk).trim());
  const handed = () => (existsSync(done) ? readFileSync(done, 'utf8').trim().split('\n') : []);
  const ids = Array.from({ length: 20 }, (_, index) => `d-${index}`);
  for (const id of ids) {
    const headers = { 'x-signature': 'right' };
    const answer = await fetch(`${url}/api/connection/hub/payload`, {
      method: 'POST',
      headers,
      body: `{"id":"${id}"}`,
    });
    assert.equal(answer.status, 202);
  }
  await until(() => handed().length === 3);
  child.kill('SIGKILL');
  await once(child, 'close');

  const store = await openStore(place);
  t.after(() => store.close());
  const { take, stop } = open({
    ...{ store: store.occurrences, connections: ['hub'] },
    hand: async (_connection, { id }) => appendFileSync(done, `${id}\n`),
  });
  await until(() => handed().length >= ids.length);
  assert.equal(await take('hub', { id: 'd-19', news: [] }), false, 'the host posts again what it had no answer to');
  await until(async () => (await store.occurrences.backlog()).length === 0);
  await stop();
  assert.deepEqual(handed(), ids);
});
