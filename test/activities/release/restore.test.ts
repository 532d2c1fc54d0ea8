import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { previewState } from '../../../activities/release/preview.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { all, carryOut, leave, type PlanWorld, planned, planWorld } from './plan.ts';
import { build, merged, releaseWorld, withPackages } from './world.ts';

for (const format of ['deb', 'rpm'] as const) {
  const [arch, repository] = format === 'deb' ? ['all', 'deb-stable'] : ['noarch', 'rpm-stable'];

  /** Builds, plans and shows a version of a source that makes itself and others. */
  async function release(world: PlanWorld, version: string, others: readonly string[]): Promise<string> {
    const source = await merged(world, `${version}\n`);
    const own = await build(world, { format, source, sample: { name: 'alpha', version } });
    const samples = others.map((name) => ({ name, version }));
    await leave(world, await withPackages(world, own, samples), source, `git:${version}`);
    const made = await world.book.make('ada', all);
    assert.ok('id' in made);
    const { ok, summary } = await carryOut(world, made.id);
    assert.equal(ok, true, summary);
    return made.id;
  }

  const listed = async (world: PlanWorld) => {
    const found = await repositoryFormats[format].list(join(world.released, repository));
    return found.map(({ name, version }) => `${name} ${version}`).sort();
  };

  test(`what a release had dropped is there again once that is taken back (${format})`, async (t) => {
    const world = planWorld(await releaseWorld(t, undefined, planned));
    await release(world, '0.9-1', ['alpha-older']);
    await release(world, '1.0-1', ['alpha-old', 'alpha-data']);
    const plan = await release(world, '2.0-1', []);
    assert.deepEqual(await listed(world), ['alpha 0.9-1', 'alpha 1.0-1', 'alpha 2.0-1']);
    const begun = await world.book.look({ plan, action: 'revert' });
    const [state] = 'states' in begun ? begun.states : [];
    assert.ok(state !== undefined);
    const withBases = <T>(_: unknown, work: (trees: null) => Promise<T>) => work(null);
    const { gains, loses, notes, refused } = await previewState({ release: world.deps, withBases }, state);
    assert.deepEqual([gains.length, loses.length, refused], [2, 1, null]);
    assert.deepEqual(
      notes.toSorted(),
      ['alpha-data', 'alpha-old'].map(
        (name) => `brought back ${name} 1.0-1 (${arch}): what came in its place is taken back`,
      ),
    );
    assert.equal((await carryOut(world, plan, 'revert')).ok, true);
    const there = ['alpha 0.9-1', 'alpha 1.0-1', 'alpha-data 1.0-1', 'alpha-old 1.0-1'];
    assert.deepEqual(await listed(world), there);
    const tree = join(world.released, repository);
    const { problems } = await checkRepository(repositoryFormats[format], { tree, others: [] });
    assert.deepEqual(problems, [], 'every file is as its statement and the signed index say');
  });

  test(`where one version is kept, the one before is there once the newest is taken back (${format})`, async (t) => {
    const lines = planned.lines.map((line) => ({ ...line, keep: 1 }));
    const world = planWorld(await releaseWorld(t, undefined, { ...planned, lines }), { ...planned, lines });
    await release(world, '1.0-1', []);
    const plan = await release(world, '2.0-1', []);
    assert.deepEqual(await listed(world), ['alpha 2.0-1']);
    assert.equal((await carryOut(world, plan, 'revert')).ok, true);
    assert.deepEqual(await listed(world), ['alpha 1.0-1']);
  });
}
