import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../infra/store/store.ts';
import { aRelease } from '../../server/records.ts';

test('the store keeps release plans, each name once, and finds the releases that they are about', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  const store = await openStore(join(directory, 'store'));
  t.after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  const plan = {
    ...({ id: 'q4', tenant: 'main', state: 'planned', builds: [], summary: '', deeds: [] } as const),
    ...{ startTime: 5, endTime: null },
  };
  assert.deepEqual([await store.plans.add(plan), await store.plans.add({ ...plan, startTime: 6 })], [true, false]);
  await store.plans.save({ ...plan, state: 'published', endTime: 9 });
  await store.plans.add({ ...plan, id: 'q5', startTime: 7 });
  assert.deepEqual(await store.plans.find('q4'), { ...plan, state: 'published', endTime: 9 });
  assert.equal(await store.plans.find('q3'), undefined);
  assert.deepEqual(
    (await store.plans.list(10)).map(({ id }) => id),
    ['q5', 'q4'],
  );
  assert.deepEqual(
    [
      await store.plans.remove('q4', ['planned', 'failed']),
      await store.plans.remove('q5', ['planned', 'failed']),
      await store.plans.save({ ...plan, id: 'q5' }),
      (await store.plans.list(10)).map(({ id }) => id),
    ],
    [false, true, false, ['q4']],
  );
  for (const state of ['waiting', 'published', 'reverted', 'failed'] as const) {
    await store.saveRelease(aRelease({ id: state, project: 'planned', state, packages: [], endTime: 9 }));
  }
  assert.deepEqual((await store.plans.candidates()).map(({ id }) => id).sort(), ['reverted', 'waiting']);
  assert.deepEqual(
    (await store.plans.releases(['failed', 'nobody'])).map(({ id }) => id),
    ['failed'],
  );
  assert.deepEqual(await store.plans.releases([]), []);
  const build = { release: 'failed', project: 'planned', branch: 'main', change: 'git:1', patchset: 1, packages: [] };
  const builds = [{ ...build, repository: 'deb', platform: 'debian-12' }];
  await store.plans.add({ ...plan, id: 'of-failed', builds, startTime: 8 });
  assert.deepEqual(
    [
      await store.plans.naming(['nobody', 'failed']),
      await store.plans.naming(['nobody']),
      await store.plans.naming([]),
    ],
    [[{ ...plan, id: 'of-failed', builds, startTime: 8 }], [], []],
  );
  await store.saveRelease(
    aRelease({ id: 'waiting', project: 'planned', state: 'published', packages: [], endTime: 10 }),
  );
  assert.deepEqual(
    (await store.plans.candidates()).map(({ id }) => id),
    ['reverted'],
  );
});
