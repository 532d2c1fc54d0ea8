import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { createPlanActivities } from '../../../activities/release/plan-activities.ts';
import { createReleaseActivities } from '../../../activities/release/release-activities.ts';
import { RepositoryRefusal } from '../../../activities/repository/port.ts';
import { createSignActivities } from '../../../activities/sign/sign-activities.ts';
import { KeyAway, KeyRefused } from '../../../activities/sign/signing-key/port.ts';
import { blobPath } from '../../../activities/storage/filesystem/blob-store.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import { refusedFault } from '../../../workflows/contract.ts';
import { build, inputFor, merged, publish, releaseWorld } from './world.ts';

/** That no other try is made, and why. */
function endsWith(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ApplicationFailure, String(error));
    assert.deepEqual([error.type, error.nonRetryable], [refusedFault, true]);
    assert.match(error.message, message);
    return true;
  };
}

test('a step of a release whose content is gone or damaged ends it, and says what to do', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'one\n');
  const manifest = await build(world, { format: 'rpm', source });
  const input = inputFor(manifest, source);
  const { files } = await readManifest(world.store, manifest);
  const { format } = await world.activities.releasedFiles({ manifest });
  const ask = () => world.signer.signPackages({ format, files, manifest, commit: source.commit });
  const lose = (digest = '', root = 'storage') => rm(blobPath(join(world.directory, root), digest));
  const gone =
    /no content sha256:[0-9a-f]{64} in artifact storage: bring it back from a backup of DATA\/storage, or build/;

  // What the signer has signed, and its directory has lost, is signed anew.
  const [signed] = await ask();
  const before = { release: 'r1', manifest, signed: signed === undefined ? [] : [signed] };
  await lose(signed?.after.digest, 'signed');
  const [digest = ''] = await world.activities.attest({ ...before, about: input });
  const envelopes = await world.signer.signStatements({ digests: [digest] });
  const staged = await world.activities.stageReleased({ ...before, envelopes });
  assert.match(
    staged.outcome === 'refused' ? staged.reason : '',
    /of what is signed \(DATA\/public-keys\): release again, it is signed anew$/,
  );
  assert.deepEqual(await publish(world, input, 'r2'), {});

  await lose(files[0]?.digest);
  await rm(join(world.keys.home, 'signed'), { recursive: true });
  await assert.rejects(ask(), endsWith(new RegExp(`^refused by the signer: ${gone.source}`)));

  const place = blobPath(join(world.directory, 'storage'), manifest);
  await chmod(place, 0o644);
  await writeFile(place, '{"half":');
  const damaged = endsWith(
    /^what is stored as sha256:[0-9a-f]{64} is no manifest of a build \(.*\): bring it back from/,
  );
  await assert.rejects(world.activities.releasedFiles({ manifest }), damaged);
  await lose(manifest);
  await assert.rejects(world.activities.collect(input), endsWith(new RegExp(`^${gone.source}`)));
  await assert.rejects(ask(), endsWith(new RegExp(`^refused by the signer: ${gone.source}`)));
});

test('what may be shown already is tried again, whatever goes wrong, until that is known', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'one\n');
  const input = inputFor(await build(world, { format: 'rpm', source }), source);
  const fault = new RepositoryRefusal('rpm cannot be a repository: EIO');
  const show = async () => {
    throw fault;
  };
  const deps = { ...world.deps, released: { ...world.deps.released, show } };
  const isFault = (error: unknown) => error === fault;
  await assert.rejects(publish({ ...world, activities: createReleaseActivities(deps) }, input), isFault);
  const plan = createPlanActivities(deps, {} as Parameters<typeof createPlanActivities>[1]);
  const states = [{ repository: 'rpm', name: 'staged-r1-rpm-debian-12', before: null }];
  await assert.rejects(plan.showReleased({ states }), isFault);
  assert.deepEqual(await publish(world, input), {});
});

test('a key that no other try helps ends what asked for it; one that is away is asked again', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'one\n');
  const manifest = await build(world, { format: 'rpm', source });
  const { format, files } = await world.activities.releasedFiles({ manifest });
  const [key] = world.keys.sign;
  const askWith = (error: Error) => {
    const rpmsign = async () => {
      throw error;
    };
    const keys = { ...world.keys, sign: [{ ...key, rpmsign }] as const };
    const { store: inbox, outbox, proof, ledger } = world;
    const signer = createSignActivities({ keys, inbox, outbox, proof, ledger, rules: { codename: '', lines: [] } });
    return signer.signPackages({ format, files, manifest, commit: source.commit });
  };
  await assert.rejects(
    askWith(new KeyRefused('the card is locked')),
    endsWith(/^refused by the signer: the card is l/),
  );
  await assert.rejects(askWith(new KeyAway('the card is not there')), (error) => error instanceof KeyAway);
});
