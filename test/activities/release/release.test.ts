import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { must, run } from '../../../activities/process/run.ts';
import { otherLine } from '../../../activities/release/line.ts';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { requireProvenance } from '../../../activities/release/stage.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { isSignedBy } from '../../../activities/sign/rpm.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import type { ReleasedWriter } from '../../../activities/storage/port.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { dssePayload, readEnvelope } from '../../../pipelines/model/provenance.ts';
import type { Sample } from '../repository/packages.ts';
import { build, inputFor, merged, releaseWorld, type World } from './world.ts';

/** A build of a state that is on the branch. */
async function built(world: World, format: PackageFormat, sample: Partial<Sample>): Promise<string> {
  return build(world, { format, sample, source: await merged(world, `${JSON.stringify(sample)}\n`) });
}

/** The steps as the workflow takes them. */
async function release(world: World, manifest: string, name = 'r1') {
  const { activities, signer } = world;
  const about = inputFor(manifest, (await readManifest(world.store, manifest)).source);
  const { commit } = about.merged;
  const signed = await signer.signPackages({ ...(await activities.releasedFiles({ manifest })), manifest, commit });
  const step = { release: name, manifest, signed };
  const envelopes = await signer.signStatements({ digests: await world.activities.attest({ ...step, about }) });
  const staged = await activities.stageReleased({ ...step, envelopes });
  if (staged.outcome !== 'staged') return { staged, publish: null, published: false };
  const signatures = await signer.signIndex({ digest: staged.index.digest });
  const { format } = await activities.releasedFiles({ manifest });
  const publish = { format, name: staged.name, before: staged.before, signatures, merged: about.merged };
  return { staged, publish, ...(await activities.publishReleased(publish)) };
}

async function shown({ released }: World, id: PackageFormat) {
  const tree = join(released, id);
  return { tree, packages: await repositoryFormats[id].list(tree) };
}

function statementPath(tree: string, name: string): string {
  return join(tree, 'provenance', `${name}.intoto.jsonl`);
}

for (const id of ['deb', 'rpm'] as const) {
  const format = repositoryFormats[id];
  describe(`releasing ${id} packages`, () => {
    test('signs, attests and shows them at once, and a second time changes nothing', async (t) => {
      const world = await releaseWorld(t);
      const manifest = await built(world, id, { name: 'alpha', version: '1.0-1' });
      assert.equal((await release(world, manifest)).published, true);
      const dir = join(world.released, id);
      const keyFile = join(world.directory, 'key.asc');
      await writeFile(keyFile, await world.archiveKey());
      assert.deepEqual((await checkRepository(format, { tree: dir, others: [], key: keyFile })).problems, []);
      await requireProvenance(format, dir);
      assert.deepEqual((await release(world, manifest, 'r2')).staged, { outcome: 'unchanged', repository: id });
      const names = (await format.list(dir)).map((one) => one.name);
      assert.deepEqual(names, ['alpha']);
      if (id === 'rpm') {
        const path = (await format.list(dir))[0]?.path ?? '';
        assert.equal(await isSignedBy(await world.archiveKey(), join(dir, path)), true);
      }
    });

    test('states the digests before and after signing, in an envelope that verifies', async (t) => {
      const world = await releaseWorld(t);
      const manifest = await built(world, id, { name: 'alpha', version: '1.0-1' });
      await release(world, manifest);
      const dir = join(world.released, id);
      const listed = (await format.list(dir))[0];
      const name = listed?.path.split('/').at(-1);
      const text = await readFile(join(dir, 'provenance', `${name}.intoto.jsonl`), 'utf8');
      const { envelope, statement } = readEnvelope(text);
      assert.equal(statement.subject[0]?.digest?.sha256, listed?.sha256);
      const before = (await world.activities.releasedFiles({ manifest })).files[0]?.digest;
      assert.equal(`sha256:${statement.predicate.runDetails.byproducts[0]?.digest?.sha256}`, before);
      const payload = Buffer.from(envelope.payload, 'base64').toString();
      const [signature, signed] = [join(world.directory, 'sig'), join(world.directory, 'pae')];
      await writeFile(signature, Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'));
      await writeFile(signed, dssePayload(payload).toSign);
      await must('gpg', ['--verify', signature, signed], { env: { GNUPGHOME: world.keys.home } });
    });

    test('refuses what something newer has overtaken', async (t) => {
      const world = await releaseWorld(t);
      await release(world, await built(world, id, { name: 'alpha', version: '2.0-1' }));
      const { staged } = await release(world, await built(world, id, { name: 'alpha', version: '1.9-1' }), 'r2');
      assert.deepEqual(staged, {
        outcome: 'refused',
        reason: 'alpha 1.9-1 is older than 2.0-1, which is released already',
      });
    });

    test('R15: refuses what something newer overtakes between a look and the next state', async (t) => {
      const world = await releaseWorld(t);
      await release(world, await built(world, id, { name: 'alpha', version: '2.0-1' }));
      const { released } = world.deps;
      const blind: ReleasedWriter = { ...released, look: async (_, work) => work(null) };
      const activities = createReleaseActivities({ ...world.deps, released: blind });
      const older = await built(world, id, { name: 'alpha', version: '1.9-1' });
      const { staged } = await release({ ...world, activities }, older, 'r2');
      assert.equal(staged.outcome === 'refused' && /1\.9-1 is older than 2\.0-1/.test(staged.reason), true);
    });

    test('W16: says of a second branch and of a second platform that they have no repository yet, and what to do', async (t) => {
      const world = await releaseWorld(t);
      const first = await built(world, id, { name: 'alpha', version: '2.0-1' });
      await release(world, first);
      const { packages, tree } = await shown(world, id);
      const files = [{ name: 'alpha', arch: packages[0]?.arch ?? '' }] as never;
      const manifest = await readManifest(world.store, first);
      const ask = (given: object) => otherLine({ tree, packages, statementPath }, files, { ...manifest, ...given });
      assert.equal(await ask({}), null);
      const branch = await ask({ source: { ...manifest.source, branch: 'stable' } });
      assert.match(branch ?? '', /alpha comes from the branch main, this from stable: .*`branches` in sluice\.yaml/);
      const platform = await ask({ platform: 'other-13' });
      assert.match(platform ?? '', /alpha was built on \S*debian-12, this on other-13: .*one platform/);
    });

    test('refuses a package without a statement about its very content', async (t) => {
      const world = await releaseWorld(t);
      const { activities, signer } = world;
      const manifest = await built(world, id, { name: 'alpha', version: '1.0-1' });
      const { commit } = (await readManifest(world.store, manifest)).source;
      const signed = await signer.signPackages({ ...(await activities.releasedFiles({ manifest })), manifest, commit });
      const staged = await activities.stageReleased({ release: 'r1', manifest, signed, envelopes: [] });
      assert.equal(staged.outcome === 'refused' && /has no provenance statement/.test(staged.reason), true);
      await release(world, manifest, 'r2');
      const dir = join(world.released, id);
      const path = (await format.list(dir))[0]?.path ?? '';
      await rm(join(dir, 'provenance'), { recursive: true });
      await assert.rejects(requireProvenance(format, dir), new RegExp(`${path.split('/').at(-1)} has no provenance`));
    });

    test('stages again when another release came between', async (t) => {
      const world = await releaseWorld(t);
      const [one, two] = [
        await built(world, id, { name: 'alpha', version: '1-1' }),
        await built(world, id, { name: 'beta', version: '1-1' }),
      ];
      const first = await release(world, one);
      await release(world, two, 'r2');
      assert.ok(first.publish);
      assert.deepEqual(await world.activities.publishReleased(first.publish), { published: false });
      assert.equal((await format.list(join(world.released, id))).length, 2);
    });
  });
}

test('what the gate built is promoted only when the merged tree is the built one', async (t) => {
  const world = await releaseWorld(t);
  const manifest = await built(world, 'deb', { name: 'alpha', version: '1-1' });
  const { source } = await readManifest(world.store, manifest);
  assert.deepEqual(await world.activities.collect(inputFor(manifest, source)), {
    promote: [{ manifest, format: 'deb', build: 'b1' }],
    rebuild: [],
  });
  const moved = await world.activities.collect(inputFor(manifest, { ...source, tree: '3'.repeat(40) }));
  assert.deepEqual(moved.promote, []);
  assert.match(moved.rebuild[0]?.reason ?? '', /merged tree 333333333333 is not the built one [0-9a-f]{12}/);
});

test('the signer gives the same signed package for the same content', async (t) => {
  const world = await releaseWorld(t);
  const manifest = await built(world, 'rpm', { name: 'alpha', version: '1-1' });
  const { commit } = (await readManifest(world.store, manifest)).source;
  const files = { ...(await world.activities.releasedFiles({ manifest })), manifest, commit };
  const [first, second] = [await world.signer.signPackages(files), await world.signer.signPackages(files)];
  assert.deepEqual(first, second);
  assert.notEqual(first[0]?.before.digest, first[0]?.after.digest);
});

test('nobody but the signer reads its directory', async (t) => {
  const world = await releaseWorld(t);
  const nobody = 65_534;
  const paths = (await must('find', [world.keys.home, '-type', 'f'])).stdout.trim().split('\n');
  assert.ok(paths.length > 2);
  await must('chmod', ['755', world.directory]);
  for (const path of [world.keys.home, ...paths]) {
    const read = await run('cat', [path], { uid: nobody, gid: nobody, cwd: '/' });
    assert.match(read.stderr, /Permission denied/, path);
  }
});
