import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../../../activities/files/digest.ts';
import { must } from '../../../activities/process/run.ts';
import { closeAgent, exportPublicKey } from '../../../activities/sign/key.ts';
import { isSignedBy, signRpms } from '../../../activities/sign/rpm.ts';
import { createGnupgKey } from '../../../activities/sign/signing-key/gnupg/sign.ts';
import { makePackage, temporary } from '../repository/packages.ts';

test('B-114: what this key has signed is not signed twice; what another has, or none, is', async (t) => {
  const work = await temporary(t);
  const home = join(work, 'keys');
  await mkdir(home, { mode: 0o700 });
  t.after(() => closeAgent(home));
  const keys = ['One <one@example.org>', 'Two <two@example.org>'];
  for (const uid of keys) {
    const make = ['--batch', '--quiet', '--passphrase', '', '--quick-generate-key', uid, 'rsa3072', 'sign', 'never'];
    await must('gpg', make, { env: { GNUPGHOME: home } });
  }
  const [one, two] = keys.map((key) => ({ home, key }));
  assert.ok(one && two);
  const make = (name: string) => makePackage('rpm', work, { name, version: '1' });
  const [first, second] = [await make('alpha'), await make('beta')];
  const sign = async (key: typeof one, files: string[]) =>
    signRpms(createGnupgKey(key), files, await exportPublicKey(key));
  const marks = async (file: string) => ({ digest: await sha256(file), time: (await stat(file)).mtimeMs });
  await sign(one, [first]);
  const signed = await marks(first);
  await sign(one, [first, second]);
  assert.deepEqual(await marks(first), signed);
  const by = async ({ key }: typeof one, file: string) => isSignedBy(await exportPublicKey({ home, key }), file);
  assert.deepEqual([await by(one, first), await by(one, second), await by(two, first)], [true, true, false]);
  await sign(two, [first]);
  assert.deepEqual([await by(one, first), await by(two, first)], [false, true]);
});
