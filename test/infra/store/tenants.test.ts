import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Kysely, Migrator, sql } from 'kysely';
import { openEmbeddedDatabase } from '../../../infra/store/database.ts';
import { migrationsFor } from '../../../infra/store/migrations.ts';
import { createStore } from '../../../infra/store/store.ts';
import { aBuild, aBuildSet, aMirror, aQueue, aRelease } from '../../server/records.ts';

async function place(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-tenants-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'store');
}

test('rows of two tenants with the same names stand beside each other, and each store reads its own', async (t) => {
  const db = await openEmbeddedDatabase(await place(t), 'one');
  const stores = ['one', 'two'].map((tenant) => ({ tenant, store: createStore({ db, tenant }) }));
  for (const { tenant, store } of stores) {
    assert.equal(await store.saveBuild(aBuild({ tenant, summary: tenant, endTime: null, result: null })), true);
    assert.equal(await store.saveBuildSet(aBuildSet({ tenant, queue: tenant })), true);
    assert.equal(await store.saveRelease(aRelease({ tenant, summary: tenant })), true);
    assert.equal(await store.saveMirror(aMirror({ snapshot: tenant })), true);
    assert.equal(await store.saveQueue(aQueue({ tenant, description: tenant })), true);
    assert.equal(await store.wasTold('key'), false);
    await store.markTold('key');
    await store.markTold(`event/50%/${tenant}`);
  }
  for (const { tenant, store } of stores) {
    assert.deepEqual(await store.listTold('event/50%/'), [`event/50%/${tenant}`]);
    assert.deepEqual(await store.listTold('event/%/'), []);
    assert.equal((await store.findBuild('b1'))?.summary, tenant);
    assert.deepEqual([(await store.listBuilds({ limit: 9 })).map(({ summary }) => summary)], [[tenant]]);
    assert.deepEqual(
      (await store.listBuildSets({ limit: 9 })).map(({ queue }) => queue),
      [tenant],
    );
    assert.deepEqual(
      (await store.listReleases({ limit: 9 })).map(({ summary }) => summary),
      [tenant],
    );
    assert.deepEqual(
      (await store.listMirrors({ limit: 9 })).map(({ snapshot }) => snapshot),
      [tenant],
    );
    assert.deepEqual(
      (await store.listQueues()).map(({ description }) => description),
      [tenant],
    );
    assert.deepEqual(
      (await store.listRunning()).builds.map(({ summary }) => summary),
      [tenant],
    );
  }
  const referrers: string[] = [];
  for await (const { kind, text } of stores[0]?.store.listReferrers(0) ?? [])
    if (kind === 'builds') referrers.push((JSON.parse(text) as { summary: string }).summary);
  assert.deepEqual(referrers, ['one', 'two'], 'storage is shared, so what is in use is asked of all');
  await db.destroy();
});

test('rows from before rows had a tenant get the one that they name, or the configured one', async (t) => {
  const directory = await place(t);
  const old = (await openEmbeddedDatabase(directory, 'configured')) as unknown as Kysely<unknown>;
  await sql`drop schema public cascade`.execute(old);
  await sql`create schema public`.execute(old);
  const first = Object.fromEntries(Object.entries(migrationsFor('')).slice(0, 1));
  const { error } = await new Migrator({ db: old, provider: { getMigrations: async () => first } }).migrateToLatest();
  assert.equal(error, undefined);
  const [build, buildSet, release] = [aBuild({ tenant: 'named' }), aBuildSet({ tenant: 'named' }), aRelease()];
  const json = JSON.stringify;
  await sql`insert into builds (id, start_time, end_time, record, build_set, pipeline, project, change, result, job)
    values ('b1', 1, 2, ${json(build)}, 's', 'gate', 'p', 'c', 'SUCCESS', 'j')`.execute(old);
  await sql`insert into build_sets (id, start_time, end_time, record, build_set, pipeline, project, change, result)
    values ('s1', 1, 2, ${json(buildSet)}, 's', 'gate', 'p', 'c', 'SUCCESS')`.execute(old);
  await sql`insert into releases (id, start_time, end_time, record, project, change)
    values (${release.id}, 1, 2, ${json({ ...release, tenant: 'named' })}, 'p', 'c')`.execute(old);
  await sql`insert into packages (release, format, name, version, arch, digest)
    values (${release.id}, 'deb', 'n', '1', 'all', 'd')`.execute(old);
  await sql`insert into mirrors (id, start_time, end_time, record, mirror_set)
    values ('m1', 1, 2, ${json(aMirror())}, 'public')`.execute(old);
  await sql`insert into queues (workflow, time, sequence, snapshot)
    values ('g', 1, 1, ${json(aQueue({ tenant: 'named' }))})`.execute(old);
  await sql`insert into told (key, time) values ('key', 1)`.execute(old);
  await old.destroy();

  const db = await openEmbeddedDatabase(directory, 'configured');
  const tables = ['builds', 'build_sets', 'releases', 'packages', 'mirrors', 'queues', 'told'] as const;
  const tenants = tables.map(async (table) => (await db.selectFrom(table).select('tenant').execute())[0]?.tenant);
  assert.deepEqual(await Promise.all(tenants), [...Array(4).fill('named'), 'configured', 'named', 'configured']);
  const store = createStore({ db, tenant: 'configured' });
  assert.equal(await store.wasTold('key'), true);
  assert.equal((await store.listMirrors({ limit: 9 })).length, 1);
  await db.destroy();
});
