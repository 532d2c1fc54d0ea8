import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { KeysRefused, openArchiveKeys } from '../../../activities/sign/archive-keys.ts';
import { checkKeys } from '../../../activities/sign/check-keys.ts';
import { closeAgent } from '../../../activities/sign/key.ts';
import { temporary } from '../repository/packages.ts';

async function directory(t: TestContext, name = 'keys') {
  const home = join(await temporary(t), name);
  await mkdir(home, { mode: 0o700 });
  t.after(() => closeAgent(home));
  const env = { GNUPGHOME: home };
  return {
    home,
    async add(uid: string, expires = 'never') {
      // A key that has expired was made a while ago.
      const past = expires === 'never' ? [] : ['--faked-system-time', '20260101T000000'];
      const make = ['--batch', '--quiet', '--passphrase', '', '--quick-generate-key', uid, 'ed25519', 'sign', expires];
      await must('gpg', [...past, ...make], { env });
    },
    gpg: async (args: readonly string[], input = '') =>
      (await must('gpg', ['--batch', '--quiet', ...args], { env, input })).stdout,
  };
}

test('without names there is one key, made once, in a directory that is closed to others', async (t) => {
  const home = join(await temporary(t), 'keys');
  t.after(() => closeAgent(home));
  const first = await openArchiveKeys(home, { sign: [], former: [] });
  assert.match(first.keys.sign[0].id, /^[0-9A-F]{40}$/);
  assert.deepEqual(first.keys.shown, [first.keys.sign[0].id]);
  assert.deepEqual((await openArchiveKeys(home, { sign: [], former: [] })).keys.shown, first.keys.shown);
  assert.equal((await stat(home)).mode & 0o777, 0o700);
});

test('B-101: the first name signs everything, the others beside it; a former key needs no secret part', async (t) => {
  const [{ home, add, gpg }, before] = [await directory(t), await directory(t)];
  await add('One <one@example.org>');
  await add('Two <two@example.org>');
  await before.add('Former <former@example.org>', '10d');
  await gpg(['--import'], await before.gpg(['--armor', '--export']));
  const { keys } = await openArchiveKeys(home, { sign: ['two@example.org', 'One'], former: ['former@example.org'] });
  const shown = await gpg(['--with-colons', '--show-keys'], await keys.publicKey());
  const uids = [...shown.matchAll(/^uid:(?:[^:]*:){8}([^:]*):/gm)].map(([, uid]) => uid);
  assert.deepEqual(uids.toSorted(), ['Former <former@example.org>', 'One <one@example.org>', 'Two <two@example.org>']);
  const prints = await Promise.all(
    ['two@example.org', 'one@example.org', 'former@example.org'].map(
      async (uid) => /^fpr:+([0-9A-F]{40}):/m.exec(await gpg(['--with-colons', '--list-keys', uid]))?.[1],
    ),
  );
  assert.deepEqual(keys.shown, prints);
});

test('B-102: what is changed of a key, its names and its end, is told and shown at the next start, and it stays the key', async (t) => {
  const { home, add, gpg } = await directory(t);
  await add('Archive <a@example.org>');
  const open = async (name: string) => {
    const { keys, warnings } = await openArchiveKeys(home, { sign: [name], former: [] });
    const shown = await gpg(['--with-colons', '--show-keys'], await keys.publicKey());
    const names = [...shown.matchAll(/^uid:([^:]*):(?:[^:]*:){7}([^:]*):/gm)].map(([, validity, uid]) =>
      validity === 'r' ? `revoked: ${uid}` : uid,
    );
    const [told] = await checkKeys(home, { sign: [name] });
    await keys.close();
    return { print: keys.sign[0].id, names: names.toSorted(), warnings, told };
  };
  const before = await open('a@example.org');
  assert.deepEqual([before.names, before.warnings, before.told?.expires], [['Archive <a@example.org>'], [], null]);
  await gpg(['--quick-set-expire', before.print, '10d']);
  const ending = await open('a@example.org');
  const end = new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);
  assert.deepEqual([ending.print, ending.names, ending.told?.expires], [before.print, before.names, end]);
  assert.match(ending.warnings.join(), new RegExp(`${before.print}.*${end}`));
  await gpg(['--quick-set-expire', before.print, 'never']);
  await gpg(['--quick-add-uid', before.print, 'Releases <b@example.org>']);
  await gpg(['--quick-revoke-uid', before.print, 'Archive <a@example.org>']);
  const renamed = await open('b@example.org');
  assert.deepEqual([renamed.print, renamed.warnings, renamed.told?.expires], [before.print, [], null]);
  assert.deepEqual(renamed.names, ['Releases <b@example.org>', 'revoked: Archive <a@example.org>']);
  assert.equal(renamed.told?.key, `${before.print} Releases <b@example.org>`);
});

test('B-103: names that mean no key, several, one twice, or one that may not sign are refused', async (t) => {
  const { home, add } = await directory(t);
  await add('Archive 2026 <a@example.org>');
  await add('Archive 2027 <b@example.org>');
  await add('Expired <e@example.org>', '10d');
  const refused: [sign: string[], former: string[], message: RegExp][] = [
    [
      ['nobody'],
      [],
      /^release\.keys\.sign: no secret key is called nobody; there are:\n.*Archive 2026.*\n.*Archive 2027/,
    ],
    [['Archive'], [], /^release\.keys\.sign: several keys are called Archive: give a fingerprint/],
    [
      ['e@example.org'],
      [],
      /^release\.keys\.sign: no key called e@example\.org can sign:\n.*has expired on 2026-01-11/,
    ],
    [['a@example.org', 'Archive 2026'], [], /^release\.keys\.sign: names the key [0-9A-F]{40}, which is named before$/],
    [
      ['a@example.org'],
      ['a@example.org'],
      /^release\.keys\.former: names the key [0-9A-F]{40}, which is named before$/,
    ],
    [['a@example.org'], ['nobody'], /^release\.keys\.former: no key is called nobody:\n.*Archive 2026/],
    [['a@example.org'], ['Archive'], /^release\.keys\.former: several keys are called Archive:\n.*2026.*\n.*2027/],
  ];
  for (const [sign, former, message] of refused) {
    await assert.rejects(openArchiveKeys(home, { sign, former }), (error: Error) => {
      assert.ok(error instanceof KeysRefused);
      assert.match(error.message, message);
      return true;
    });
  }
  const wrong = { sign: ['a@example.org', 'nobody'], former: ['Archive', 'b@example.org', 'Archive 2026'] };
  await assert.rejects(openArchiveKeys(home, wrong), (error: KeysRefused) => {
    assert.deepEqual(
      error.faults.map(({ list, index }) => `${list} ${index}`),
      ['sign 1', 'former 0', 'former 2'],
    );
    return true;
  });
  const { keys } = await openArchiveKeys(home, { sign: ['b@example.org'], former: ['e@example.org'] });
  assert.equal(keys.shown.length, 2);
});
