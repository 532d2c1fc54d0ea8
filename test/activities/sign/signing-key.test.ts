import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { verifySigned } from '../../../activities/keys/verify.ts';
import { must } from '../../../activities/process/run.ts';
import { unsigned } from '../../../activities/repository/rpm/signed.ts';
import { KeysRefused, openArchiveKeys, proveKeys } from '../../../activities/sign/archive-keys.ts';
import { checkKeys } from '../../../activities/sign/check-keys.ts';
import { createArchiveSigner } from '../../../activities/sign/gpg.ts';
import { exportPublicKey } from '../../../activities/sign/key.ts';
import { hasAgent, importedHome } from '../../../activities/sign/signing-key/gnupg/open.ts';
import { KeyAway, KeyRefused } from '../../../activities/sign/signing-key/port.ts';
import { proveKey } from '../../../activities/sign/signing-key/prove.ts';
import type { GivenKey } from '../../../activities/sign/signing-key/settings.ts';
import { makePackage, temporary } from '../repository/packages.ts';
import { gnupgHome, makeCard, makeProgram } from './places.ts';

const text = 'Origin: Sluice\n- a line with a dash\n';

async function open(t: TestContext, work: string, ...sign: GivenKey[]) {
  const { keys, warnings } = await openArchiveKeys(join(work, 'signer'), { sign, former: [] });
  t.after(keys.close);
  assert.deepEqual(warnings, []);
  return keys;
}

/** Has the key sign a text both ways, and two packages. */
async function signAll(t: TestContext, work: string, given: GivenKey & { readonly fingerprint: string }) {
  const keys = await open(t, work, given);
  const signer = createArchiveSigner(keys);
  const shown = await keys.publicKey();
  const [detached, clear] = await Promise.all([signer.detach(text), signer.clear(text)]);
  for (const signed of [{ signature: detached, text }, { signature: clear }]) {
    const found = await verifySigned(shown, signed);
    assert.deepEqual(
      found?.map(({ primary }) => primary),
      [given.fingerprint],
    );
  }
  const files = [
    await makePackage('rpm', work, { name: 'alpha', version: '1' }),
    await makePackage('rpm', work, { name: 'beta', version: '1' }),
  ];
  assert.deepEqual(await unsigned(files, shown), files);
  await signer.package(...files);
  assert.deepEqual(await unsigned(files, shown), []);
  return keys;
}

/** Nothing of a secret stays where programs have read it. */
async function noSecretLeft(): Promise<void> {
  assert.deepEqual(
    (await readdir(tmpdir())).filter((name) => name.startsWith('sluice-secret-')),
    [],
  );
}

test('a key in a GnuPG directory elsewhere signs with its passphrase, and without one', async (t) => {
  const work = await temporary(t);
  const [bare, locked] = await Promise.all([
    gnupgHome(t, join(work, 'bare')),
    gnupgHome(t, join(work, 'locked'), { passphrase: 'open sesame' }),
  ]);
  const file = join(work, 'passphrase');
  await writeFile(file, 'open sesame\n');
  await signAll(t, work, { kind: 'gnupg', ...bare, timeout: 60 });
  // The signer has made no key that nobody asked for.
  assert.deepEqual(await readdir(join(work, 'signer')), []);
  await signAll(t, work, { kind: 'gnupg', ...locked, passphrase: { file }, timeout: 60 });
  await noSecretLeft();
});

test('a passphrase that is wrong or not there is a refusal, and no other try helps', async (t) => {
  const work = await temporary(t);
  const locked = await gnupgHome(t, join(work, 'locked'), { passphrase: 'open sesame' });
  const file = join(work, 'passphrase');
  const keys = await open(t, work, { kind: 'gnupg', ...locked, passphrase: { file }, timeout: 60 });
  const refused = async (message: RegExp) => {
    const asked = createArchiveSigner(keys);
    const rpm = await makePackage('rpm', work, { name: 'alpha', version: '1' });
    for (const work of [() => asked.detach(text), () => asked.clear(text), () => asked.package(rpm)]) {
      await assert.rejects(work(), (error: Error) => {
        assert.ok(error instanceof KeyRefused && !(error instanceof KeyAway), String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /abracadabra/);
        return true;
      });
    }
  };
  await refused(/a secret cannot be read from .*passphrase: ENOENT/);
  await writeFile(file, 'abracadabra\n');
  await refused(new RegExp(`^${locked.fingerprint} refuses its passphrase$`));
});

test('a private key in a file is taken as the file is, with its passphrase', async (t) => {
  const work = await temporary(t);
  const { home, fingerprint } = await gnupgHome(t, join(work, 'home'), { passphrase: 'open sesame' });
  const [key, passphrase] = [join(work, 'private.asc'), join(work, 'passphrase')];
  await writeFile(passphrase, 'open sesame\n');
  const secret = ['--pinentry-mode', 'loopback', '--passphrase-file', passphrase];
  const { stdout } = await must('gpg', ['--batch', ...secret, '--armor', '--export-secret-keys'], {
    env: { GNUPGHOME: home },
  });
  await writeFile(key, stdout);
  const given = { kind: 'file', key: { file: key }, fingerprint, passphrase: { file: passphrase } } as const;
  await signAll(t, work, given);
  // Who looks whether it signs leaves the signer's agent running, which knows it.
  assert.equal((await checkKeys(join(work, 'signer'), { sign: [given] }))[0]?.state, 'signs');
  assert.equal(await hasAgent(importedHome(join(work, 'signer'), fingerprint)), true);
  await writeFile(key, 'canary: not a key');
  await assert.rejects(open(t, work, given), (error: Error) => {
    assert.ok(error instanceof KeysRefused);
    assert.match(error.message, /`key` names is no armoured private key/);
    assert.doesNotMatch(error.message, /canary/);
    return true;
  });
});

test('a key on a card signs with its PIN; a card that is away is waited for', async (t) => {
  const work = await temporary(t);
  const card = await makeCard(t, work);
  const pin = join(work, 'pin');
  await writeFile(pin, `${card.pin}\n`);
  const { home, fingerprint } = card;
  const keys = await signAll(t, work, { kind: 'card', home, fingerprint, pin: { file: pin }, timeout: 60 });
  await noSecretLeft();
  await card.pull();
  await assert.rejects(createArchiveSigner(keys).detach(text), (error: Error) => {
    assert.ok(error instanceof KeyAway, String(error));
    assert.match(error.message, /^the card of [0-9A-F]{40} is not there$/);
    return true;
  });
});

test('a wrong PIN is given to a card once, whatever is asked for, and by whoever asks next', async (t) => {
  const work = await temporary(t);
  const card = await makeCard(t, work);
  const pin = join(work, 'pin');
  await writeFile(pin, '000000\n');
  const { home, fingerprint } = card;
  const given = { kind: 'card', home, fingerprint, pin: { file: pin }, timeout: 60 } as const;
  const before = await card.given();
  const keys = await open(t, work, given);
  const rpms = await Promise.all(
    ['alpha', 'beta', 'gamma'].map((name) => makePackage('rpm', work, { name, version: '1' })),
  );
  const signer = createArchiveSigner(keys);
  const ends = await Promise.allSettled([signer.package(...rpms), signer.detach(text), signer.clear(text)]);
  assert.deepEqual(
    ends.map(
      (end) => end.status === 'rejected' && end.reason instanceof KeyRefused && !(end.reason instanceof KeyAway),
    ),
    [true, true, true],
  );
  const again = await open(t, work, given);
  await assert.rejects(proveKey(again.sign[0]), /refused its PIN on .*: cards lock after three wrong ones/);
  assert.equal((await card.given()) - before, 1);
  const [mark = ''] = await readdir(join(work, 'signer', 'refused-pins'));
  assert.doesNotMatch(await readFile(join(work, 'signer', 'refused-pins', mark), 'utf8'), /000000/);
  await writeFile(pin, `${card.pin}\n`);
  await proveKey(again.sign[0]);
  assert.deepEqual(await readdir(join(work, 'signer', 'refused-pins')), []);
});

test('each key is tried, and warned of before its end; no key is made for that', async (t) => {
  const work = await temporary(t);
  const [soon, locked] = await Promise.all([
    gnupgHome(t, join(work, 'soon'), { expires: '20d' }),
    gnupgHome(t, join(work, 'locked'), { passphrase: 'open sesame' }),
  ]);
  const signer = join(work, 'signer');
  await mkdir(signer, { mode: 0o700 });
  assert.deepEqual(await checkKeys(signer, { sign: [] }), []);
  assert.ok(!(await readdir(signer)).includes('private-keys-v1.d'));
  const shown = join(work, 'soon.asc');
  await writeFile(shown, await exportPublicKey({ home: soon.home, key: soon.fingerprint }));
  const bridge = { kind: 'program', public: shown, fingerprint: soon.fingerprint, timeout: 60 } as const;
  const checks = await checkKeys(signer, {
    sign: [
      { kind: 'gnupg', ...soon, timeout: 60 },
      { kind: 'gnupg', ...locked, passphrase: { file: shown }, timeout: 60 },
      { ...bridge, run: ['sh', '-c', 'exit 75'] },
      { kind: 'gnupg', ...soon, home: join(work, 'absent'), timeout: 60 },
      { kind: 'gnupg', ...locked, passphrase: { env: 'SLUICE_TEST_ABSENT' }, timeout: 60 },
      { kind: 'card', ...soon, pin: { credential: 'archive-pin' }, timeout: 60 },
      { kind: 'file', ...soon, key: { env: 'SLUICE_TEST_ABSENT' } },
    ],
    notice: 86_400 * 21,
  });
  const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  assert.deepEqual(
    checks.map(({ state, expires }) => [state, expires]),
    [
      ['signs', day],
      ['refused', null],
      ['away', day],
      ['refused', null],
      ['untried', null],
      ['untried', day],
      ['untried', null],
    ],
  );
  const [first, second, third, fourth, fifth, sixth] = checks.map(({ message }) => message);
  assert.match(first ?? '', /it expires on .*, in (19|20) days: everything that it signed is refused then$/);
  assert.match(second ?? '', /refuses its passphrase$/);
  assert.match(third ?? '', /^sh cannot sign with/);
  assert.match(fourth ?? '', /the GnuPG directory .*absent cannot be read: ENOENT/);
  assert.equal(fifth, "it was not tried: the variable SLUICE_TEST_ABSENT is the service's alone");
  assert.match(sixth ?? '', /^it was not tried: the credential archive-pin is the service's alone; .* expires on/);
  const quiet = await checkKeys(signer, { sign: [{ kind: 'gnupg', ...soon, timeout: 60 }], notice: 86_400 * 3 });
  assert.equal(quiet[0]?.message, '');
});

test('a program signs for a key that is elsewhere, packages as well', async (t) => {
  const work = await temporary(t);
  const { home, fingerprint } = await gnupgHome(t, join(work, 'far'));
  const shown = join(work, 'far.asc');
  await writeFile(shown, await exportPublicKey({ home, key: fingerprint }));
  const run = await makeProgram(join(work, "it's 100% far"), home);
  await signAll(t, work, { kind: 'program', run, fingerprint, public: shown, timeout: 60 });
});

test('a program that is away or slow is waited for, and one that refuses or answers something else is not', async (t) => {
  const work = await temporary(t);
  const { home, fingerprint } = await gnupgHome(t, join(work, 'far'));
  const other = await gnupgHome(t, join(work, 'other'), { uid: 'Other <other@example.org>' });
  const shown = join(work, 'far.asc');
  await writeFile(shown, await exportPublicKey({ home, key: fingerprint }));
  const rpm = await makePackage('rpm', work, { name: 'alpha', version: '1' });
  for (const [what, more, Kind, message] of [
    ['away', 'echo no route to host >&2; exit 75', KeyAway, /cannot sign with [0-9A-F]{40} now: no route to host/],
    ['ssh', 'exit 255', KeyAway, /cannot sign with [0-9A-F]{40} now: without a word/],
    ['killed', 'kill -KILL $$', KeyAway, /cannot sign with [0-9A-F]{40} now: it was killed/],
    ['stopped', 'echo stopping >&2; exit 143', KeyAway, /cannot sign with [0-9A-F]{40} now: stopping/],
    ['slow', 'sleep 60', KeyAway, /has not signed with [0-9A-F]{40} in 1 s/],
    ['no', 'echo not for you >&2; exit 77', KeyRefused, /ended with 77: not for you/],
    ['garbage', 'echo signed; exit 0', KeyRefused, /gave no armoured signature/],
  ] as const) {
    const run = await makeProgram(join(work, what), home, more);
    const timeout = what === 'slow' ? 1 : 60;
    const keys = await open(t, work, { kind: 'program', run, fingerprint, public: shown, timeout });
    const signer = createArchiveSigner(keys);
    for (const asked of [signer.detach(text), signer.package(rpm)]) {
      await assert.rejects(asked, (error: Error) => {
        assert.equal(error.constructor, Kind, `${what}: ${error}`);
        assert.match(error.message, message);
        return true;
      });
    }
  }
  const run = await makeProgram(join(work, 'stranger'), other.home, `set -- "$1" "$2" ${other.fingerprint}`);
  const keys = await open(t, work, { kind: 'program', run, fingerprint, public: shown, timeout: 60 });
  const signer = createArchiveSigner(keys);
  await assert.rejects(signer.detach(text), /what it signs does not add up with its public key/);
  await assert.rejects(signer.package(rpm), /the signature does not check out/);
  const absent = await open(t, work, { kind: 'program', run: ['/nowhere'], fingerprint, public: shown, timeout: 60 });
  await assert.rejects(createArchiveSigner(absent).clear(text), /\/nowhere cannot be run/);
});

test('a look at signatures that is killed is a fault, and no verdict on them', async (t) => {
  const work = await temporary(t);
  const { home, fingerprint } = await gnupgHome(t, join(work, 'home'));
  const keys = await open(t, work, { kind: 'gnupg', home, fingerprint, timeout: 60 });
  const signer = createArchiveSigner(keys);
  const rpm = await makePackage('rpm', work, { name: 'alpha', version: '1' });
  const [path, shadows] = [process.env.PATH, join(work, 'bin')];
  t.after(() => {
    process.env.PATH = path;
  });
  await mkdir(shadows);
  process.env.PATH = `${shadows}:${path}`;
  await writeFile(join(shadows, 'gpgv'), '#!/bin/sh\nkill -TERM $$\n', { mode: 0o755 });
  const killed = '#!/bin/sh\ncase "$*" in *--checksig*) kill -TERM $$ ;; esac\nexec /usr/bin/rpmkeys "$@"\n';
  await writeFile(join(shadows, 'rpmkeys'), killed, { mode: 0o755 });
  for (const ask of [() => signer.detach(text), () => signer.clear(text), () => signer.package(rpm)]) {
    await assert.rejects(ask(), { name: 'ProcessError', message: /^(gpgv|rpmkeys) .* ended with 143/ });
  }
});

test('a public key is shown however its file was written, and a private one never', async (t) => {
  const work = await temporary(t);
  const [own, old] = await Promise.all(['own', 'old'].map((name) => gnupgHome(t, join(work, name))));
  assert.ok(own && old);
  const env = { GNUPGHOME: old.home };
  const file = join(work, 'former.key');
  const shownOf = async () => {
    const former = [{ kind: 'public', file, fingerprint: old.fingerprint }] as const;
    const sign = [{ kind: 'gnupg', ...own, timeout: 60 }] as const;
    const { keys } = await openArchiveKeys(join(work, 'signer'), { sign, former });
    t.after(keys.close);
    const { stdout } = await must('gpg', ['--with-colons', '--show-keys'], { env, input: await keys.publicKey() });
    return [...stdout.matchAll(/^fpr:+([0-9A-F]{40}):/gm)].map(([, print]) => print);
  };
  const armoured = await exportPublicKey({ home: old.home, key: old.fingerprint });
  await must('gpg', ['--batch', '--output', join(work, 'binary'), '--export'], { env });
  const binary = await readFile(join(work, 'binary'));
  for (const content of [armoured, armoured.replaceAll('\n', '\r\n'), armoured.replaceAll('\n', ' \n'), binary]) {
    await writeFile(file, content);
    assert.deepEqual(await shownOf(), [own.fingerprint, old.fingerprint]);
  }
  for (const how of [['--armor'], []]) {
    await must('gpg', ['--batch', '--yes', ...how, '--output', file, '--export-secret-keys'], { env });
    await assert.rejects(shownOf(), /^RepositoryRefusal: release\.keys\.former: .*former\.key holds no public key/);
  }
});

test('keys of all kinds sign one index together', async (t) => {
  const work = await temporary(t);
  const [home, far, old] = await Promise.all(
    ['home', 'far', 'old'].map((name) => gnupgHome(t, join(work, name), { uid: `${name} <${name}@example.org>` })),
  );
  assert.ok(home && far && old);
  const files = await Promise.all(
    [far, old].map(async ({ home, fingerprint }, nth) => {
      await writeFile(join(work, `${nth}.asc`), await exportPublicKey({ home, key: fingerprint }));
      return join(work, `${nth}.asc`);
    }),
  );
  const run = await makeProgram(join(work, 'bridge'), far.home);
  const { keys } = await openArchiveKeys(join(work, 'signer'), {
    sign: [
      { kind: 'gnupg', ...home, timeout: 60 },
      { kind: 'program', run, fingerprint: far.fingerprint, public: files[0] ?? '', timeout: 60 },
    ],
    former: [{ kind: 'public', file: files[1] ?? '', fingerprint: old.fingerprint }],
  });
  t.after(keys.close);
  assert.deepEqual(keys.shown, [home.fingerprint, far.fingerprint, old.fingerprint]);
  const signer = createArchiveSigner(keys);
  const [shown, signature, clear] = await Promise.all([keys.publicKey(), signer.detach(text), signer.clear(text)]);
  assert.equal(shown.match(/^-----BEGIN/gm)?.length, 1);
  for (const signed of [{ signature, text }, { signature: clear }]) {
    const found = await verifySigned(shown, signed);
    assert.deepEqual(found?.map(({ primary }) => primary).toSorted(), [home.fingerprint, far.fingerprint].toSorted());
  }
  // What would have every index signed in vain is said when the signer starts.
  const alone = `[ "$2" = detach-sign ] || { echo not in clear >&2; exit 77; }`;
  const other = `exec gpg --homedir '${far.home}' --batch --armor --digest-algo SHA256 --local-user "$3" "--$2"`;
  for (const [name, more, message] of [
    ['other', other, /^release\.keys\.sign: [0-9A-F]{40} signs in clear in another way than the first key/],
    ['alone', alone, /^release\.keys\.sign: .* ended with 77: not in clear$/],
  ] as const) {
    const run = await makeProgram(join(work, name), far.home, more);
    const sign: GivenKey[] = [
      { kind: 'gnupg', ...home, timeout: 60 },
      { kind: 'program', run, fingerprint: far.fingerprint, public: files[0] ?? '', timeout: 60 },
    ];
    const keys = await open(t, work, ...sign);
    await assert.rejects(createArchiveSigner(keys).clear(text), KeyRefused);
    await assert.rejects(proveKeys(keys), { message });
    const checks = await checkKeys(join(work, 'signer'), { sign });
    assert.deepEqual(
      checks.map(({ state }) => state),
      ['signs', 'refused'],
    );
  }
  const wrong = { kind: 'public', file: files[1] ?? '', fingerprint: far.fingerprint } as const;
  await assert.rejects(
    openArchiveKeys(join(work, 'signer'), { sign: [{ kind: 'gnupg', ...home, timeout: 60 }], former: [wrong] }),
    /release\.keys\.former: .* must hold the key [0-9A-F]{40} alone; there is/,
  );
});
