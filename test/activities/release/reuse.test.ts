import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifest } from '../../../activities/storage/manifest.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import { readEnvelope } from '../../../pipelines/model/provenance.ts';
import {
  build,
  inputFor,
  itemIn,
  merged,
  publish,
  push,
  readStatement,
  record,
  releaseJob,
  releaseWorld,
  reuse,
  runRelease,
  shown,
  storeManifest,
  type World,
} from './world.ts';

test('W17: a build of check that the gate took over is released, and the statement names both', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'good\n');
  const made = await build(world, { source });
  await record(world, await reuse(world, made));
  assert.equal(await runRelease(world, releaseJob(source)), 'released');
  assert.deepEqual(await shown(world), ['good\n']);
  const { statement } = readEnvelope(await readStatement(world, 'deb', 'alpha_1.0-1_all.deb'));
  const { externalParameters, internalParameters } = statement.predicate.buildDefinition;
  const { project: repository, branch, commit, tree } = source;
  assert.deepEqual(externalParameters.source, { repository, branch, commit, tree });
  assert.deepEqual(internalParameters.item, itemIn('gate'));
  assert.deepEqual(internalParameters.reused, { build: 'b1', manifest: made, item: itemIn('check') });
  assert.equal(internalParameters.inputs, `sha256:${'1'.repeat(64)}`);
  assert.equal(statement.predicate.runDetails.metadata.invocationId, 'b2');
});

test('W17: what was not merged is not released for being reused', async (t) => {
  for (const wall of ['release stage', 'signer', 'publisher'] as const) {
    const world = await releaseWorld(t, [wall]);
    await merged(world, 'merged\n');
    const source = await push(world, 'evil\n', [(await world.host.branchTip('lib/alpha', 'main')) ?? '']);
    await record(world, await reuse(world, await build(world, { source })));
    const said = await runRelease(world, releaseJob(source)).catch((error: Error) => error.message);
    assert.match(said, new RegExp(`^refused by the ${wall}: commit [0-9a-f]{12} is not on the branch main`));
    assert.deepEqual(await shown(world), []);
  }
});

/** A manifest that says that a build is another one again; answers with its digest. */
type Lie = (world: World, made: string) => Promise<string>;

const changed = (change: (manifest: PackagesManifest) => PackagesManifest): Lie => {
  return (world, made) => reuse(world, made, change);
};

const lies: Readonly<Record<string, readonly [lie: Lie, says: RegExp]>> = {
  'with files of its own': [
    changed((one) => ({ ...one, files: one.files.map((file) => ({ ...file, version: '2.0-1' })) })),
    /the build b2 says that it is the build b1 again, and it differs from that one/,
  ],
  'of another tree': [
    changed((one) => ({ ...one, source: { ...one.source, version: '9' } })),
    /and it differs from that one/,
  ],
  'of other inputs': [
    changed((one) => ({ ...one, inputsDigest: `sha256:${'2'.repeat(64)}` })),
    /and it differs from that one/,
  ],
  'with other packages in the build root': [
    changed((one) => ({ ...one, environment: { ...one.environment, packages: ['evil=1'] } })),
    /and it differs from that one/,
  ],
  'of which nobody knows the inputs': [changed(({ inputsDigest: _, ...one }) => one), /nobody knows its inputs/],
  'under the name of another build': [
    changed((one) => ({ ...one, ...(one.reused && { reused: { ...one.reused, build: 'b9' } }) })),
    /its manifest is that of the build b1/,
  ],
  'under the name of another item': [
    changed((one) => ({ ...one, ...(one.reused && { reused: { ...one.reused, item: itemIn('gate') } }) })),
    /its manifest is that of the build b1/,
  ],
  'that no worker attests': [
    async (world, made) => {
      const { attestation: _, ...unsigned } = await readManifest(world.store, made);
      return reuse(world, await storeManifest(world, unsigned));
    },
    /no worker attests the build b1/,
  ],
  'that was edited after its worker had signed': [
    async (world, made) => {
      const edited = { ...(await readManifest(world.store, made)), finished: '2027-01-01T00:00:00Z' };
      return reuse(world, await storeManifest(world, edited));
    },
    /the build b1 is not what its worker attests/,
  ],
  'that made nothing itself': [
    async (world, made) => reuse(world, await reuse(world, made)),
    /that one made nothing itself/,
  ],
};

for (const [what, [lie, says]] of Object.entries(lies)) {
  test(`W17: the signer refuses a build that says it is one ${what}`, async (t) => {
    const world = await releaseWorld(t, ['signer']);
    const source = await merged(world, 'good\n');
    const lied = await lie(world, await build(world, { source }));
    await assert.rejects(publish(world, inputFor(lied, source)), says);
    assert.deepEqual(await shown(world), []);
  });
}

test('W17: what cannot be shown to be the build that was reused is built again', async (t) => {
  const world = await releaseWorld(t, ['release stage']);
  const source = await merged(world, 'good\n');
  const lied = await reuse(world, await build(world, { source }), (one) => ({ ...one, finished: one.started }));
  const { rebuild } = await world.activities.collect(inputFor(lied, source));
  assert.match(rebuild[0]?.reason ?? '', /it differs from that one/);
});
