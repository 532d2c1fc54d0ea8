import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Lease, Machine } from '../../activities/nodes/port.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { createRepocheckStage } from '../../activities/repocheck/repocheck-stage.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import {
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

/** One machine for all that ask: a question changes nothing but what the machine is offered. */
function shared(lease: Lease): Lease {
  let machine: Promise<Machine> | undefined;
  return {
    ...lease,
    machine: (need) => {
      machine ??= lease.machine(need);
      return machine;
    },
  };
}

const exactly: Readonly<Record<PackageFormat, string>> = { deb: 'libalpha (= 1.0-1)', rpm: 'libalpha = 1.0-1' };
const taking: Readonly<Record<PackageFormat, Readonly<Record<string, string>>>> = {
  deb: { Replaces: 'tool', Conflicts: 'tool' },
  rpm: { Conflicts: 'tool' },
};

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: what is released and needs something of what comes must stay installable`, async (t) => {
    const world = await stageWorld(t);
    const released = await releasePackages(world, format, [
      { name: 'libalpha', version: '1.0-1' },
      { name: 'any', version: '1.0-1', requires: ['libalpha'] },
      { name: 'strict', version: '1.0-1', requires: [exactly[format]] },
      { name: 'orphan', version: '1.0-1', requires: ['libalpha', 'nobody-has-this'] },
      { name: 'apart', version: '1.0-1' },
      // The next version of the source makes the first alone.
      { name: 'beta', version: '1.0-1' },
      {
        name: 'beta-plugin',
        version: '1.0-1',
        source: 'beta',
        requires: [exactly[format].replace('libalpha', 'beta')],
      },
      { name: 'beta-unused', version: '1.0-1', source: 'beta' },
      { name: 'plugged', version: '1.0-1', requires: ['beta-plugin'] },
      { name: 'tool', version: '1.0-1', files: { '/usr/bin/tool': 'one\n' } },
    ]);
    const stage = createRepocheckStage({ ...world, released: async () => [released] });
    await withLease(openProvider('docker'), { build: stageInput(format, {}).build.id }, async (lent) => {
      const lease = shared(lent);
      const run = async (next: readonly Sample[]) => {
        const parents = await publish(t, format, world, next);
        const context = { ...(await stageContext(t)), lease };
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
        assert.doesNotMatch(said, /^Get:\d+ \S+ \S+ (?:all|amd64) (?:any|strict) |^\[\d+\/\d+\]|Downloading Packages/m);
      });
      await t.test('one that needs what its source makes no more is named, and what nobody needs leaves', async () => {
        const { result, found, said } = await run([{ name: 'beta', version: '2.0-1' }]);
        assert.equal(result.result, 'FAILURE', said);
        assert.match(result.summary, /^plugged 1\.0-1 can no longer be installed: /);
        assert.deepEqual(found.leaning, ['plugged 1.0-1']);
        assert.deepEqual(found.leaving.toSorted(), ['beta 1.0-1', 'beta-unused 1.0-1']);
      });
      await t.test('what comes must be installable itself, and not older', async () => {
        const { result, found, said } = await run([
          { name: 'apart', version: '0.9-1' },
          { name: 'any', version: '0.8-1' },
          { name: 'new', version: '1.0-1', requires: ['nobody-has-this'] },
        ]);
        assert.equal(result.result, 'FAILURE', said);
        const older = ['any 0.8-1', 'apart 0.9-1'].map((one) => `${one} is older than 1.0-1, which is released`);
        assert.deepEqual(found.problems[0].split('; ').toSorted(), older);
        assert.match(found.problems[1], /^new 1\.0-1 cannot be installed: .*nobody-has-this/);
        assert.equal(found.problems.length, 2);
      });
      await t.test('two packages that bring one path are named with it, unless one says how they stand', async () => {
        const files = { '/usr/bin/tool': 'two\n', '/usr/bin/other': 'two\n' };
        const { result, found, said, junit } = await run([
          { name: 'tool-two', version: '1.0-1', files },
          { name: 'other', version: '1.0-1', files: { '/usr/bin/other': 'one\n' } },
          { name: 'tool-three', version: '1.0-1', files: { '/usr/bin/tool': 'two\n' }, fields: taking[format] },
        ]);
        assert.equal(result.result, 'FAILURE', said);
        const pairs = found.problems.map((one: string) => {
          const [, a = '', b = '', path] = /^(\S+) 1\.0-1 and (\S+) 1\.0-1 both bring (\/[\w/]+)/.exec(one) ?? [one];
          return [...[a, b].toSorted(), path].join(' ');
        });
        // rpm lets two packages share a file that is the same.
        const alike = format === 'deb' ? ['tool-three tool-two /usr/bin/tool'] : [];
        const wanted = [...alike, 'other tool-two /usr/bin/other', 'tool tool-two /usr/bin/tool'];
        assert.deepEqual(pairs.toSorted(), wanted.toSorted());
        assert.match(junit, new RegExp(`<testsuite name="repocheck files" tests="${wanted.length}"`));
      });
      await t.test('what breaks nothing is good, with its own new versions of what it needs', async () => {
        const { result, said } = await run([
          { name: 'apart', version: '2.0-1', requires: ['fresh'] },
          { name: 'fresh', version: '1.0-1' },
        ]);
        assert.deepEqual([result.result, result.summary], ['SUCCESS', '2 packages can be installed'], said);
      });
      return {};
    });
  });
}
