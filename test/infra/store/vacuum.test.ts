import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openEmbeddedDatabase } from '../../../infra/store/database.ts';
import { createStore } from '../../../infra/store/store.ts';
import { aQueue } from '../../server/records.ts';

test('a vacuum lets pictures of a queue take the room of earlier ones', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-vacuum-'));
  const db = await openEmbeddedDatabase(join(directory, 'store'), 'main');
  t.after(async () => {
    await db.destroy();
    await rm(directory, { recursive: true });
  });
  const store = createStore({ db, tenant: 'main' });
  let sequence = 0;
  const save = async () => {
    for (let count = 0; count < 50; count += 1) {
      sequence += 1;
      // What cannot be compressed, so that its length is its size.
      await store.saveQueue(aQueue({ sequence, description: randomBytes(10_000).toString('base64') }));
    }
    const { rows } = await sql<{ bytes: number }>`select pg_total_relation_size('queues')::int as bytes`.execute(db);
    return rows[0]?.bytes ?? 0;
  };

  const first = await save();
  const grown = await save();
  await store.vacuum();
  const reused = await save();

  assert.ok(grown - first > 50 * 10_000, `50 pictures of more than 10 kB took ${grown - first} bytes`);
  assert.ok(reused - grown < (grown - first) / 5, `50 more took ${reused - grown} bytes after a vacuum`);
  assert.equal((await store.listQueues())[0]?.sequence, sequence);
});
