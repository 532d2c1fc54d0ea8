import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createRepocheckStage } from '../../activities/repocheck/repocheck-stage.ts';
import { createPublishStage } from '../../activities/repository/publish-stage.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import {
  leasing,
  readText,
  releasePackages,
  type StageWorld,
  stageContext,
  stageInput,
  stageWorld,
  storeBuild,
} from './install/stage.ts';
import { makePackage, type Sample } from './repository/packages.ts';

/** Publishes packages as a change would. */
async function publish(t: TestContext, format: PackageFormat, world: StageWorld, next: readonly Sample[]) {
  const files = await Promise.all(next.map((sample) => makePackage(format, world.directory, sample)));
  const built = await storeBuild(world, format, files);
  const published = await createPublishStage(world)(stageInput(format, { parents: [built] }), await stageContext(t));
  return published.artifacts;
}

const exactly: Readonly<Record<PackageFormat, string>> = { deb: 'libalpha (= 1.0-1)', rpm: 'libalpha = 1.0-1' };

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: what is released and needs something of what comes must stay installable`, async (t) => {
    const world = await stageWorld(t);
    const released = await releasePackages(world, format, [
      { name: 'libalpha', version: '1.0-1' },
      { name: 'any', version: '1.0-1', requires: ['libalpha'] },
      { name: 'strict', version: '1.0-1', requires: [exactly[format]] },
      { name: 'orphan', version: '1.0-1', requires: ['libalpha', 'nobody-has-this'] },
      { name: 'apart', version: '1.0-1' },
    ]);
    const stage = leasing(createRepocheckStage({ ...world, released: async () => [released] }));
    const run = async (next: readonly Sample[]) => {
      const parents = await publish(t, format, world, next);
      const context = await stageContext(t);
      const result = await stage(stageInput(format, { stage: 'repocheck', parents }), context);
      const found = JSON.parse(await readText(world, result, 'repocheck.json'));
      return { result, found, said: context.said(), junit: await readText(world, result, 'junit.xml') };
    };

    await t.test('one that needs the old version is named; one that was broken before is no failure', async () => {
      const { result, found, said, junit } = await run([{ name: 'libalpha', version: '2.0-1' }]);
      assert.equal(result.result, 'FAILURE', said);
      assert.match(result.summary, /^strict 1\.0-1 can no longer be installed: .*libalpha/);
      assert.doesNotMatch(result.summary, /more\)$/);
      assert.deepEqual(found.leaning.toSorted(), ['any 1.0-1', 'orphan 1.0-1', 'strict 1.0-1']);
      assert.match(found.notes.join(), /^orphan 1\.0-1 could not be installed before either: .*nobody-has-this/);
      assert.match(junit, /<testsuite name="repocheck needs them" tests="3" failures="1"/);
    });
    await t.test('what comes must be installable itself, and not older', async () => {
      const { result, found, said } = await run([
        { name: 'apart', version: '0.9-1' },
        { name: 'new', version: '1.0-1', requires: ['nobody-has-this'] },
      ]);
      assert.equal(result.result, 'FAILURE', said);
      assert.match(found.problems[0], /^apart 0\.9-1 is older than 1\.0-1, which is released$/);
      assert.match(found.problems[1], /^new 1\.0-1 cannot be installed: .*nobody-has-this/);
      assert.equal(found.problems.length, 2);
    });
    await t.test('what breaks nothing is good, with its own new versions of what it needs', async () => {
      const { result, said } = await run([
        { name: 'apart', version: '2.0-1', requires: ['fresh'] },
        { name: 'fresh', version: '1.0-1' },
      ]);
      assert.deepEqual([result.result, result.summary], ['SUCCESS', '2 packages can be installed'], said);
    });
  });
}
