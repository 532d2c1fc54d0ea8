import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEmbeddedDatabase } from '../../../infra/store/database.ts';
import { createStore } from '../../../infra/store/store.ts';
import type { Act } from '../../../pipelines/policy/act.ts';

function act(id: string, given: Partial<Act> = {}): Act {
  const by = { name: 'ada', kind: 'person', via: 'token' } as const;
  const what = { operation: 'retrigger', changes: ['git:5'], about: { job: 'unit' } } as const;
  return { id, time: 1_000, by, outcome: 'done', reason: '', ...what, ...given };
}

test('what people asked for is found by who, what and which change, newest first, by its own tenant', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-acts-'));
  const db = await openEmbeddedDatabase(join(directory, 'store'), 'main');
  t.after(async () => {
    await db.destroy();
    await rm(directory, { recursive: true });
  });
  const { acts } = createStore({ db, tenant: 'main' });
  const promoted = act('2', { time: 2_000, operation: 'promote', changes: ['git:5', 'git:6'], about: {} });
  const refused = act('3', {
    ...{ time: 3_000, by: { name: 'bob', kind: 'person', via: 'token' }, operation: 'cancel', changes: [] },
    ...{ about: { build: 'b1' }, outcome: 'refused', reason: 'there is no build b1' },
  });
  for (const one of [act('1'), promoted, refused]) await acts.add(one);
  assert.deepEqual(await acts.list({ limit: 10 }), [refused, promoted, act('1')]);
  const ids = async (filter: object) => (await acts.list({ limit: 10, ...filter })).map(({ id }) => id);
  assert.deepEqual(await ids({ change: 'git:5' }), ['2', '1']);
  assert.deepEqual(await ids({ change: 'git:6' }), ['2']);
  assert.deepEqual(await ids({ change: "git:6' or 1=1 --" }), []);
  assert.deepEqual(await ids({ by: 'bob' }), ['3']);
  assert.deepEqual(await ids({ operation: 'retrigger', by: 'ada' }), ['1']);
  assert.deepEqual(await ids({ limit: 1 }), ['3']);
  assert.deepEqual(await ids({ after: { startTime: 3_000, id: '3' } }), ['2', '1']);
  const others = createStore({ db, tenant: 'other' }).acts;
  assert.deepEqual(await others.list({ limit: 10 }), []);
  await others.forget(4_000);
  await acts.forget(2_000);
  assert.deepEqual(await ids({}), ['3', '2'], 'what is older goes, of its own tenant alone');
});
