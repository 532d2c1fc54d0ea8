import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifySigned } from '../../../activities/keys/verify.ts';
import { checkKeys } from '../../../activities/sign/check-keys.ts';
import { createArchiveSigner } from '../../../activities/sign/gpg.ts';
import { isSignedBy } from '../../../activities/sign/rpm.ts';
import { build, merged, push, releaseWorld } from '../release/world.ts';

test('B-100: each key is told with its fingerprint, its name, its end, and whether it signs', async (t) => {
  const { keys } = await releaseWorld(t);
  const [one, ...others] = await checkKeys(keys.home, { sign: [] });
  assert.deepEqual(others, []);
  assert.deepEqual(one, {
    key: `${keys.shown[0]} Test <test@example.org>`,
    ...{ state: 'signs', expires: null, message: '' },
  });
});

test('B-111 B-112 B-113: a build is signed by name and digest, and what came of each file is told', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'good\n');
  const manifest = await build(world, { format: 'rpm', source });
  const { format, files } = await world.activities.releasedFiles({ manifest });
  const ask = (more: object = {}) =>
    world.signer.signPackages({ format, files, manifest, commit: source.commit, ...more });
  const [signed, ...others] = await ask();
  assert.ok(signed);
  assert.deepEqual(others, []);
  assert.deepEqual([signed.name, signed.before.digest], [files[0]?.name, files[0]?.digest]);
  assert.notEqual(signed.after.digest, signed.before.digest);
  const path = join(world.directory, 'signed.rpm');
  await writeFile(path, await world.outbox.read(signed.after.digest));
  assert.equal(await isSignedBy(await world.archiveKey(), path), true);
  // B-114: what is signed already stays as it is, and what nobody merged is refused.
  assert.deepEqual(await ask(), [signed]);
  const open = await push(world, 'evil\n', [source.commit]);
  await assert.rejects(ask({ commit: open.commit }), /refused by the signer/);
  await assert.rejects(ask({ manifest: `sha256:${'0'.repeat(64)}` }));
});

test('B-115: a text is signed beside itself or in clear, and read again with the public key alone', async (t) => {
  const { keys, archiveKey } = await releaseWorld(t);
  const signer = createArchiveSigner(keys);
  const text = 'Origin: Sluice\n';
  const shown = await archiveKey();
  const [signature, clear] = await Promise.all([signer.detach(text), signer.clear(text)]);
  for (const signed of [{ signature, text }, { signature: clear }]) {
    assert.deepEqual(
      (await verifySigned(shown, signed))?.map(({ primary }) => primary),
      keys.shown,
    );
  }
  assert.equal(await verifySigned(shown, { signature, text: `${text} ` }), null);
});
