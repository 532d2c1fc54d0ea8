import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import type { PackageFormat, SourceState } from '../../../pipelines/model/artifact.ts';
import type { ReleaseRules } from '../../../pipelines/model/release-line.ts';
import { mirrorWorld } from '../mirror/world.ts';
import { all, carryOut, leave, planned, planWorld } from './plan.ts';
import { build, inputFor, merged, publish, releaseWorld, type World, withPackages } from './world.ts';

const apart: ReleaseRules = { codename: 'bookworm', debug: 'separate', lines: [] };

const named = { deb: 'alpha-dbgsym', rpm: 'alpha-debuginfo' } as const;

/** A build of a program with what debugs it. */
async function built(world: World, format: PackageFormat, version: string) {
  const source = await merged(world, `${version}\n`);
  const of = { format, source, sample: { version } };
  const debug = {
    name: named[format],
    version,
    requires: [format === 'deb' ? `alpha (= ${version})` : `alpha = ${version}`],
  };
  return { source, manifest: await withPackages(world, await build(world, of), [debug]) };
}

/** The same released; the steps are those of the workflow. */
async function release(world: World, format: PackageFormat, version: string) {
  const { source, manifest } = await built(world, format, version);
  return publish(world, inputFor(manifest, source), `r-${version}`);
}

async function mirrored(t: TestContext, tree: string) {
  const mirrors = await mirrorWorld(t);
  const set = mirrors.set({ source: tree, hosts: { m1: { url: mirrors.local('m1') } }, layout: 'pool' });
  const sync = async () => assert.equal((await mirrors.sync(set)).outcome, 'committed');
  return { sync, copy: join(mirrors.local('m1'), 'stable') };
}

/** The same world whose release stage is told otherwise. */
function told(world: World, rules: ReleaseRules): World {
  return { ...world, activities: createReleaseActivities({ ...world.deps, rules }) };
}

/** What is there after two releases, with the first of them before debug packages were to be apart. */
const paths = {
  deb: ['1.0', '1.1'].map((version) => `pool/debug/a/alpha/alpha-dbgsym_${version}-1_all.deb`),
  rpm: ['1.0', '1.1'].map((version) => `debug/Packages/a/alpha-debuginfo-${version}-1.noarch.rpm`),
} as const;

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: debug packages are released apart, those of before move, and all are signed, mirrored and kept with the rest`, async (t) => {
    const world = await releaseWorld(t);
    const tree = join(world.released, format);
    const { sync, copy } = await mirrored(t, tree);
    assert.deepEqual(await release(world, format, '1.0-1'), {});
    await sync();
    const moved = { notes: ['moved 1 debug package to lists of their own'] };
    assert.deepEqual(await release(told(world, apart), format, '1.1-1'), moved);
    await sync();
    for (const at of [tree, copy]) {
      const listed = await repositoryFormats[format].list(at);
      assert.deepEqual(listed.flatMap(({ name, path }) => (name === 'alpha' ? [] : path)).sort(), paths[format]);
      assert.equal(listed.length, 4);
      const { problems } = await checkRepository(repositoryFormats[format], { tree: at, others: [] });
      assert.deepEqual(problems, [], at);
    }
    assert.equal((await repositoryFormats[format].roots(copy)).length, format === 'deb' ? 1 : 2);
    assert.equal((await release(told(world, { ...apart, keep: 1 }), format, '1.2-1')).refused, undefined);
    const kept = (await repositoryFormats[format].list(tree)).map(({ name, version }) => `${name} ${version}`);
    assert.deepEqual(kept.sort(), ['alpha 1.2-1', `${named[format]} 1.2-1`]);
  });
}

test('a plan that is taken back takes the debug packages with it, and both indexes are signed anew', async (t) => {
  const rules = { ...planned, debug: 'separate' } as const;
  const world = planWorld(await releaseWorld(t, undefined, rules), rules);
  const tree = join(world.released, 'rpm-stable');
  const versions = async () =>
    (await repositoryFormats.rpm.list(tree)).map(({ name, version }) => `${name} ${version}`);
  for (const version of ['1.0-1', '1.1-1']) {
    const { source, manifest } = await built(world, 'rpm', version);
    await leave(world, manifest, source, `git:${version}`);
    await world.book.make('ada', all, version);
    assert.deepEqual((await carryOut(world, version)).ok, true);
  }
  assert.equal((await versions()).length, 4);
  assert.equal((await carryOut(world, '1.1-1', 'revert')).ok, true);
  assert.deepEqual(await versions(), ['alpha 1.0-1', 'alpha-debuginfo 1.0-1']);
  assert.deepEqual((await checkRepository(repositoryFormats.rpm, { tree, others: [] })).problems, []);
});

test('S1: no index of debug packages is signed that leads to what was not proven, and none is shown without its signature', async (t) => {
  const world = await releaseWorld(t, undefined, apart);
  const source = await merged(world, 'one\n');
  const [other, manifest] = [
    await build(world, { format: 'rpm', source, sample: { name: 'evil-debuginfo' } }),
    await build(world, { format: 'rpm', source }),
  ];
  const { activities, signer } = world;
  const step = await signed(world, manifest, source);
  const staged = await activities.stageReleased({ ...step, release: 'r1' });
  assert.ok(staged.outcome === 'staged' && staged.also?.length === 1);
  const alone = await signer.signIndex({ digest: staged.index.digest, repository: 'rpm' });
  const shown = await activities.publishReleased({ ...staged, format: 'rpm', signatures: alone, merged: source });
  assert.deepEqual(shown, {
    published: false,
    refused: '1 of 2 indexes were signed: restart the signer, which is of another version',
  });
  const dir = join(world.directory, 'evil');
  const { files } = await readManifest(world.store, other);
  const file = join(world.directory, files[0]?.name ?? '');
  await publishPackages(repositoryFormats.rpm, { dir, files: [file], settings: { debug: true }, date: new Date() });
  const put = async (path: string) => (await world.store.put({ path: join(dir, path) })).digest;
  for (const { path } of await repositoryFormats.rpm.vouched(dir)) await put(path);
  const also = [await put('debug/repodata/repomd.xml')];
  const asked = signer.signIndex({ digest: staged.index.digest, also, repository: 'rpm' });
  await assert.rejects(asked, /the index offers evil-debuginfo-\S+, which has no statement that was signed here/);
});

/** A build with its packages and statements signed. */
async function signed({ activities, signer }: World, manifest: string, source: SourceState) {
  const { files } = await activities.releasedFiles({ manifest });
  const made = await signer.signPackages({ format: 'rpm', files, manifest, commit: source.commit });
  const step = { release: 'r1', manifest, signed: made };
  const digests = await activities.attest({ ...step, about: inputFor(manifest, source) });
  return { ...step, envelopes: await signer.signStatements({ digests }) };
}
