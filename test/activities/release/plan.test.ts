import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { previewState } from '../../../activities/release/preview.ts';
import type { ReleasePlanRecord } from '../../../activities/report/types.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { PlanWish } from '../../../pipelines/policy/release-plan.ts';
import { setBranch } from '../git/repository.ts';
import { all, carryOut, leave, type PlanWorld, planned, planWorld } from './plan.ts';
import { build, merged, releaseWorld, type World } from './world.ts';

const repositories = { deb: 'deb-stable', rpm: 'rpm-stable' } as const;

async function listed(world: World, format: PackageFormat): Promise<readonly string[]> {
  const found = await repositoryFormats[format].list(join(world.released, repositories[format])).catch(() => []);
  return found.map(({ name, version }) => `${name} ${version}`).sort();
}

/** Merges something, and leaves what was built of it for a plan. */
async function change(world: PlanWorld, of: { version: string; name?: string; formats?: readonly PackageFormat[] }) {
  const { version, name = 'alpha', formats = ['deb', 'rpm'] } = of;
  const source = await merged(world, `${name} ${version}\n`);
  for (const format of formats) {
    await leave(world, await build(world, { format, source, sample: { name, version } }), source, `git:${version}`);
  }
  return source;
}

async function plan(world: PlanWorld, wish: Partial<PlanWish> = {}): Promise<ReleasePlanRecord> {
  const made = await world.book.make('ada', { ...all, ...wish });
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

test('a plan shows what waits in all its repositories, signed, and nothing before', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '1.0-1' });
  await change(world, { version: '1.1-1' });
  const { id, builds } = await plan(world);
  assert.deepEqual(builds.map(({ repository, packages }) => `${repository} ${packages[0]?.version}`).sort(), [
    'deb-stable 1.1-1',
    'rpm-stable 1.1-1',
  ]);
  assert.deepEqual([await listed(world, 'deb'), await listed(world, 'rpm')], [[], []]);
  assert.deepEqual(await carryOut(world, id), { ok: true, summary: 'released lib/alpha 1.1-1' });
  for (const format of ['deb', 'rpm'] as const) {
    assert.deepEqual(await listed(world, format), ['alpha 1.1-1']);
    const tree = join(world.released, repositories[format]);
    const { problems, checked } = await checkRepository(repositoryFormats[format], { tree, others: [] });
    assert.deepEqual([problems, checked.signers.length], [[], 1]);
  }
  const kept = world.plans.get(id);
  assert.deepEqual(
    [kept?.state, kept?.deeds.map(({ did, by }) => `${did} ${by}`)],
    ['published', ['plan ada', 'commit ada']],
  );
  const states = [...world.releases.values()].map(({ state, packages }) => `${packages[0]?.version} ${state}`);
  assert.deepEqual([...new Set(states)], ['1.0-1 superseded', '1.1-1 published']);
  assert.deepEqual(await world.book.make('ada', all), {
    refused: 'nothing waits for a release plan: the plan would be empty',
  });
  assert.match((await carryOut(world, id)).summary, /was committed already/);
});

test('a plan whose builds were superseded is refused, with what by', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '1.0-1', formats: ['deb'] });
  const { id } = await plan(world);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await change(world, { version: '1.1-1', formats: ['deb'] });
  const { ok, summary } = await carryOut(world, id);
  assert.equal(ok, false);
  assert.match(summary, /^lib\/alpha 1\.0-1 of git:1\.0-1 was superseded by lib\/alpha 1\.1-1 of git:1\.1-1/);
  assert.deepEqual(await listed(world, 'deb'), []);
});

test('what waits for another line than what was shown waits on', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '1.0-1' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await change(world, { version: '1.1-1', formats: ['deb'] });
  assert.equal((await carryOut(world, (await plan(world, { lines: ['deb-stable'] })).id)).ok, true);
  const waiting = [...world.releases.values()].filter(({ state }) => state === 'waiting');
  assert.deepEqual(
    waiting.map(({ prepared, packages }) => `${prepared?.repository} ${packages[0]?.version}`),
    ['rpm-stable 1.0-1'],
  );
});

test('a plan that was not carried out is removed, and what it names may be planned again; one that was stays', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '1.0-1', formats: ['deb'] });
  const first = await plan(world);
  assert.equal(await world.book.remove(first.id), null);
  assert.equal(world.plans.has(first.id), false);
  assert.match((await carryOut(world, first.id)).summary, /^there is no release plan/);
  const { id } = await plan(world);
  assert.equal((await carryOut(world, id)).ok, true);
  assert.equal(
    await world.book.remove(id),
    `the release plan ${id} is published: only one that was not carried out is removed`,
  );
  assert.match((await world.book.remove('nosuch')) ?? '', /^there is no release plan nosuch/);
});

test('one repository that refuses keeps all of them as they were', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '2.0-1', formats: ['rpm'] });
  assert.equal((await carryOut(world, (await plan(world)).id)).ok, true);
  await change(world, { version: '1.0-1' });
  const { id } = await plan(world);
  const { ok, summary } = await carryOut(world, id);
  assert.deepEqual([ok, summary], [false, 'alpha 1.0-1 is older than 2.0-1, which is released already']);
  assert.deepEqual([await listed(world, 'deb'), await listed(world, 'rpm')], [[], ['alpha 2.0-1']]);
  assert.equal(world.plans.get(id)?.state, 'failed');
});

test('S1: a plan whose commit the branch never had is refused when it is committed', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  const first = await merged(world, 'first\n');
  const source = await change(world, { version: '1.0-1', formats: ['deb'] });
  const { id } = await plan(world);
  await setBranch(world.repo, 'main', first.commit);
  assert.notEqual(source.commit, first.commit);
  const { ok, summary } = await carryOut(world, id);
  assert.equal(ok, false);
  assert.match(summary, /refused by the (publisher|release stage): commit [0-9a-f]{12} is not on the branch main/);
  assert.deepEqual(await listed(world, 'deb'), []);
});

test('a preview says what is gained, replaced and broken, and leaves nothing behind', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await change(world, { version: '1.0-1', formats: ['deb'] });
  assert.equal((await carryOut(world, (await plan(world)).id)).ok, true);
  const source = await merged(world, 'two\n');
  const sample = { version: '1.1-1', requires: ['nowhere'] };
  await leave(world, await build(world, { source, sample }), source);
  const { id } = await plan(world);
  const looked = await world.book.look({ plan: id, action: 'commit' });
  const [state] = 'states' in looked ? looked.states : [];
  assert.ok(state);
  const withBases = <T>(_: unknown, work: (trees: readonly string[] | null) => Promise<T>) => work([]);
  // Two at once: each looks at a tree of its own.
  const looks = [0, 1].map(() => previewState({ release: world.deps, withBases }, state));
  const [found, other] = await Promise.all(looks);
  assert.ok(found);
  assert.deepEqual(other, found);
  const of = { format: 'deb', name: 'alpha', version: '1.1-1', arch: 'all' };
  assert.deepEqual(found.gains, [{ ...of, replaces: '1.0-1' }]);
  assert.deepEqual(
    found.problems.map(({ kind }) => kind),
    ['installability'],
  );
  assert.match(found.problems[0]?.message ?? '', /nowhere/);
  assert.deepEqual(await listed(world, 'deb'), ['alpha 1.0-1']);
  const left = await readdir(join(world.released, '.deb-stable.generations'));
  assert.deepEqual(
    left.filter((name) => name.startsWith('staged-')),
    [],
  );
  assert.equal(world.plans.get(id)?.state, 'planned');
});

test('a release that is taken back is a newer state without its packages, whose files stay', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await mkdir(world.released, { recursive: true });
  await change(world, { version: '1.0-1' });
  assert.equal((await carryOut(world, (await plan(world)).id)).ok, true);
  await change(world, { version: '1.1-1' });
  const { id } = await plan(world);
  const same = await plan(world);
  assert.equal((await carryOut(world, id)).ok, true);
  const release = join(world.released, 'deb-stable/dists/bookworm/Release');
  const dateOf = async () => Date.parse(/^Date: (.*)$/m.exec(await readFile(release, 'utf8'))?.[1] ?? '');
  const before = await dateOf();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.deepEqual(await carryOut(world, id, 'revert'), { ok: true, summary: 'took back lib/alpha 1.1-1' });
  for (const format of ['deb', 'rpm'] as const) {
    assert.deepEqual(await listed(world, format), ['alpha 1.0-1']);
    const tree = join(world.released, repositories[format]);
    const { problems, checked } = await checkRepository(repositoryFormats[format], { tree, others: [] });
    assert.deepEqual([problems, checked.signers.length], [[], 1]);
    const files = await readdir(tree, { recursive: true });
    assert.ok(
      files.some((path) => /alpha[-_]1\.1-1.*\.(deb|rpm)$/.test(path)),
      'for clients with the newer index',
    );
  }
  assert.ok((await dateOf()) > before);
  assert.equal(world.plans.get(id)?.state, 'reverted');
  assert.match((await carryOut(world, id, 'revert')).summary, /is reverted: only what was published/);
  assert.match((await carryOut(world, id)).summary, /was taken back: make a new plan/);
  assert.match((await carryOut(world, same.id)).summary, /was taken back after the plan was made/);
  const again = await plan(world, { changes: ['git:1.1-1'] });
  assert.equal((await carryOut(world, again.id)).ok, true);
  assert.deepEqual(await listed(world, 'deb'), ['alpha 1.0-1', 'alpha 1.1-1']);
});

test('what another release has put in place of a plan is not said to be taken back', async (t) => {
  const world = planWorld(await releaseWorld(t, undefined, planned));
  await mkdir(world.released, { recursive: true });
  await change(world, { version: '1.0-1' });
  const { id } = await plan(world);
  assert.equal((await carryOut(world, id)).ok, true);
  for (const [release, record] of [...world.releases]) {
    world.releases.set(`${release}/again`, { ...record, id: `${release}/again` });
  }
  const refused = await carryOut(world, id, 'revert');
  assert.equal(refused.ok, false);
  assert.match(refused.summary, /nothing is known to be there of .* alone: its packages were released again/);
  assert.equal(world.plans.get(id)?.state, 'published');
  assert.deepEqual(await listed(world, 'deb'), ['alpha 1.0-1']);
});
