import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { verifyMirrors } from '../../../activities/mirror/verify.ts';
import { must } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, exportPublicKey } from '../../../activities/sign/key.ts';
import { makePackage } from '../repository/packages.ts';
import { mirrorWorld } from './world.ts';

test('K3: a mirror by a key that expires soon is warned of; once it has, verify and sync say so', async (t) => {
  const world = await mirrorWorld(t);
  const home = world.local('keys');
  await mkdir(home, { mode: 0o700 });
  t.after(() => closeAgent(home));
  const gpg = (...args: readonly string[]) =>
    must('gpg', ['--batch', '--yes', '--quiet', '--passphrase', '', '--pinentry-mode', 'loopback', ...args], {
      env: { GNUPGHOME: home },
    });
  // What is said of the key later must look newer than how it was made.
  const at = (day: string) => ['--faked-system-time', `${day}T000000`];
  await gpg(...at('20260101'), '--quick-generate-key', 'Test <test@example.org>', 'ed25519', 'sign', 'never');
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec((await gpg('--with-colons', '--list-keys')).stdout)?.[1] ?? '';
  const key = world.local('key.asc');
  const save = async () => writeFile(key, await exportPublicKey({ home, key: fingerprint }));
  const days = Math.round((Date.now() - Date.UTC(2026, 0, 1)) / 86_400_000);
  await gpg(...at('20260102'), '--quick-set-expire', fingerprint, `${days + 9}d`);
  await save();
  const file = await makePackage('deb', world.directory, { name: 'beta', version: '1' });
  const signer = createGpgSigner({ home, key: fingerprint });
  const request = { dir: world.source, files: [file], settings: { codename: 'bookworm' }, signer, date: new Date() };
  await publishPackages(repositoryFormats.deb, request);
  const set = world.set({ verify: { key }, hosts: { m1: { url: world.local('m1') } } });
  const soon = /^warning: key [0-9A-F]+ Test <test@example\.org>: it expires on [\d-]+, in \d+ days/;
  const synced = await world.sync(set);
  assert.equal(synced.outcome, 'committed', JSON.stringify(synced));
  assert.match(synced.notes?.join('\n') ?? '', soon);
  const { warnings } = await checkRepository(repositoryFormats.deb, { tree: world.source, others: [], key });
  assert.match(`warning: ${warnings[0]}`, soon, 'as `repo check` has it');
  const verified = await verifyMirrors(set, world.context);
  assert.equal(verified.outcome, 'unchanged', JSON.stringify(verified));
  assert.match(verified.notes?.join('\n') ?? '', soon);
  await gpg(...at('20260103'), '--quick-set-expire', fingerprint, '9d');
  await save();
  for (const refused of [await verifyMirrors(set, world.context), await world.sync(set)]) {
    assert.equal(refused.outcome, 'failed');
    assert.equal(refused.hosts.m1?.error?.code, 'verify');
    assert.match(
      refused.hosts.m1?.error?.message ?? '',
      /is refused by clients: key .*: it has expired on 2026-01-1\d$/,
    );
  }
});
