import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { checkRepository } from '../../../activities/repository/check.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { RepositoryRefusal } from '../../../activities/repository/port.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent } from '../../../activities/sign/key.ts';
import { resolveKey } from '../../../activities/sign/resolve-key.ts';
import { makePackage, temporary } from './packages.ts';

const { rpm } = repositoryFormats;
const date = new Date('2026-01-02T03:04:05Z');
const settings = { codename: '' };

interface Ring {
  readonly home: string;
  add(uid: string, algorithm?: string, expires?: string): Promise<void>;
}

async function keyring(t: TestContext, work: string): Promise<Ring> {
  const home = join(work, 'keys');
  await must('mkdir', ['-m', '700', home]);
  t.after(() => closeAgent(home));
  const make = ['--batch', '--yes', '--quiet', '--passphrase', '', '--quick-generate-key'];
  return {
    home,
    async add(uid, algorithm = 'ed25519', expires = 'never') {
      // A key that has expired was made a while ago.
      const past = expires === 'never' ? [] : ['--faked-system-time', '20260101T000000'];
      await must('gpg', [...past, ...make, uid, algorithm, 'sign', expires], { env: { GNUPGHOME: home } });
    },
  };
}

test('S2: a name means one key, not a part of another one’s; what cannot sign is refused with the reason', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Old <expired@example.org>', 'ed25519', '10d');
  await add('Ed <ed@example.org>');
  const resolve = (key: string) => resolveKey({ home, key });
  const { key, warnings } = await resolve('ed@example.org');
  assert.match(key.key, /^[0-9A-F]{40}$/);
  assert.deepEqual(warnings, []);
  assert.match(await createGpgSigner(key).publicKey(), /BEGIN PGP PUBLIC KEY BLOCK/);
  await assert.rejects(
    resolve('expired@example.org'),
    /no key called expired@example\.org can sign:\n.*has expired on 2026-01-11/,
  );
  await assert.rejects(resolve('nobody'), /no secret key is called nobody; there are:\n(.*\n)?.*Ed <ed@example\.org>/);
  await add('Ed <ed@example.org>');
  await assert.rejects(
    resolve('ed@example.org'),
    /several keys are called ed@example\.org: give a fingerprint:\n.*\n.*/,
  );
  assert.equal((await resolve(key.key)).key.key, key.key);
});

test('S2: a key that newer clients refuse signs only when it is asked for', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Small <small@example.org>', 'rsa1024');
  await assert.rejects(resolveKey({ home, key: 'small@example.org' }), /RSA of 1024 bits.*--weak-key/);
  const { warnings } = await resolveKey({ home, key: 'small@example.org' }, { weak: true });
  assert.match(warnings.join(), /RSA of 1024 bits/);
});

test('K1, K4: with a new key, what another key has signed is signed again, and all keys are where clients look', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Old <old@example.org>', 'rsa2048');
  await add('New <new@example.org>', 'rsa2048');
  const [old, next] = await Promise.all(
    ['old@example.org', 'new@example.org'].map(async (key) => createGpgSigner((await resolveKey({ home, key })).key)),
  );
  assert.ok(old && next);
  const dir = join(work, 'repo');
  const tool = await makePackage('rpm', work, { name: 'tool', version: '1-1' });
  const other = await makePackage('rpm', work, { name: 'other', version: '1-1' });
  const third = await makePackage('rpm', work, { name: 'third', version: '1-1' });
  await publishPackages(rpm, { dir, files: [tool, third], settings, date, signer: old });
  await publishPackages(rpm, { dir, files: [other], settings, date, signer: next });
  assert.deepEqual((await checkRepository(rpm, { tree: dir, others: [] })).problems, []);
  const again = await publishPackages(rpm, { dir, files: [other], settings, date, signer: next });
  assert.equal(again.changed, false);
  // zypper looks for the key beside the index.
  const keys = ['archive-key.asc', 'repodata/repomd.xml.key'].map((name) => readFile(join(dir, name), 'utf8'));
  assert.equal(...((await Promise.all(keys)) as [string, string]));
});

test('K2: packages without a signature in a signed repository are a problem, and signed when they are published', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Key <key@example.org>', 'rsa2048');
  const signer = createGpgSigner((await resolveKey({ home, key: 'key@example.org' })).key);
  const [dir, base] = [join(work, 'repo'), join(work, 'base')];
  const tool = await makePackage('rpm', work, { name: 'tool', version: '1-1' });
  await publishPackages(rpm, { dir: base, files: [tool], settings, date });
  const indexOnly = { ...signer, package: async () => {} };
  await publishPackages(rpm, { dir, files: [tool], settings, date, signer: indexOnly });
  const problems = (await checkRepository(rpm, { tree: dir, others: [] })).problems;
  assert.deepEqual(
    problems.map(({ kind, message }) => [kind, /no signature by a key of the repository/.test(message)]),
    [['signature', true]],
  );
  const mended = await publishPackages(rpm, { dir, files: [], settings, date, signer });
  assert.equal(mended.changed, true);
  assert.deepEqual((await checkRepository(rpm, { tree: dir, others: [] })).problems, []);
  const joined = join(work, 'joined');
  await publishPackages(rpm, { dir: joined, files: [], base, settings, date, signer });
  assert.deepEqual((await checkRepository(rpm, { tree: joined, others: [] })).problems, []);
});

test('K3: a repository whose key has expired is not in order', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Key <key@example.org>', 'rsa2048', '10d');
  const key = { home, key: 'key@example.org' };
  const dir = join(work, 'repo');
  const tool = await makePackage('deb', work, { name: 'tool', version: '1-1' });
  const past = { GNUPGHOME: home };
  const sign = async (how: string, input: string) =>
    (await must('gpg', ['--batch', '--armor', '--faked-system-time', '20260102T000000', how], { input, env: past }))
      .stdout;
  const signer = {
    ...createGpgSigner(key),
    detach: (text: string) => sign('--detach-sign', text),
    clear: (text: string) => sign('--clear-sign', text),
  };
  await publishPackages(repositoryFormats.deb, {
    dir,
    files: [tool],
    settings: { codename: 'bookworm' },
    date,
    signer,
  });
  const problems = (await checkRepository(repositoryFormats.deb, { tree: dir, others: [] })).problems;
  assert.ok(
    problems.some(({ message }) => /has expired on 2026-01-11/.test(message)),
    JSON.stringify(problems),
  );
});

test('S2: a key that is refused is heard of while a repository that is there is still read, and ends the reading', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const hello = await makePackage('rpm', work, { name: 'hello', version: '1-1' });
  await publishPackages(rpm, { dir, files: [hello], settings, date });
  let reading: AbortSignal | undefined;
  const describe = (_: readonly string[], signal?: AbortSignal) => {
    reading = signal;
    return new Promise<never>(() => {});
  };
  const slow = { ...rpm, describe };
  const refused = async () => Promise.reject(new RepositoryRefusal('no such key'));
  const signer = { publicKey: refused, detach: refused, clear: refused, package: refused };
  const publish = publishPackages(slow, { dir, files: [hello], settings, date, signer });
  await assert.rejects(publish, /no such key/);
  assert.equal(reading?.aborted, true);
  const ended = AbortSignal.abort(new Error('ended'));
  for (const id of ['deb', 'rpm'] as const)
    await assert.rejects(repositoryFormats[id].describe([`x.${id}`], ended), /ended/);
});

test('P1: a package that the index cannot hold is refused by name, and nothing is shown', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'repo');
  const changes = '%changelog\n* Thu Jan 01 2026 Somebody <somebody@example.org> - 1-1\n- pasted \u001b[200~ text\n';
  const esc = await makePackage('rpm', work, { name: 'esc', version: '1-1', after: `true\n${changes}` });
  const publish = publishPackages(rpm, { dir, files: [esc], settings, date });
  await assert.rejects(publish, /the index cannot hold esc 1-1 \(noarch\)/);
  await assert.rejects(readFile(join(dir, 'repodata/repomd.xml')), /ENOENT/);
});

test('K3: a repository whose index is signed as clients refuse it is not in order', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Key <key@example.org>', 'rsa2048');
  const env = { GNUPGHOME: home };
  const gpg = (...args: string[]) => must('gpg', ['--batch', '--yes', '--quiet', '--passphrase', '', ...args], { env });
  const past = ['--faked-system-time', '20260102T000000'];
  await gpg(...past, '--quick-generate-key', 'Sub <sub@example.org>', 'rsa2048', 'cert', 'never');
  const print = async (name: string) =>
    /^fpr:+([0-9A-F]+):/m.exec((await gpg('--with-colons', '--list-keys', name)).stdout)?.[1] ?? '';
  await gpg(...past, '--quick-add-key', await print('sub@example.org'), 'rsa2048', 'sign', '10d');
  const dir = join(work, 'repo');
  const tool = await makePackage('deb', work, { name: 'tool', version: '1-1' });
  const signer = createGpgSigner({ home, key: await print('key@example.org') });
  const deb = repositoryFormats.deb;
  await publishPackages(deb, { dir, files: [tool], settings: { codename: 'x' }, date, signer });
  const dist = join(dir, 'dists/x');
  const release = await readFile(join(dist, 'Release'), 'utf8');
  const problems = async (name: string, text: string, ...how: string[]) => {
    await writeFile(join(dist, 'Release'), text);
    const sign = (...more: string[]) => gpg(...how, '--local-user', name, '--armor', ...more, join(dist, 'Release'));
    await sign('--output', join(dist, 'InRelease'), '--clear-sign');
    await sign('--output', join(dist, 'Release.gpg'), '--detach-sign');
    await gpg('--armor', '--output', join(dir, 'archive-key.asc'), '--export', name);
    const report = await checkRepository(deb, { tree: dir, others: [] });
    return [...new Set(report.problems.map(({ message }) => message))].join('\n');
  };
  assert.equal(await problems('key@example.org', release), '');
  assert.match(await problems('key@example.org', release, '--digest-algo', 'SHA1'), /SHA-1, which APT refuses/);
  const expired = /^the key that signed it has expired$/;
  assert.match(await problems('sub@example.org', release, '--faked-system-time', '20260105T000000'), expired);
  const old = release.replace('\nDescription', '\nValid-Until: Sat, 10 Jan 2026 00:00:00 UTC\nDescription');
  assert.match(await problems('key@example.org', old), /^its Valid-Until \(Sat, 10 Jan 2026 00:00:00 UTC\) has passed/);
});

test('K1: a key that cannot sign here, or that rpm does not take, is refused with the reason', async (t) => {
  const work = await temporary(t);
  const { home, add } = await keyring(t, work);
  await add('Curve <curve@example.org>', 'nistp256');
  const pass = ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', 'open sesame'];
  await must('gpg', [...pass, '--quick-generate-key', 'Pass <pass@example.org>', 'rsa2048', 'sign', 'never'], {
    env: { GNUPGHOME: home },
  });
  await closeAgent(home);
  const tool = await makePackage('rpm', work, { name: 'tool', version: '1-1' });
  const publish = async (key: string) =>
    publishPackages(rpm, {
      ...{ dir: join(work, 'repo'), files: [tool], settings, date },
      signer: createGpgSigner((await resolveKey({ home, key })).key),
    });
  await assert.rejects(
    publish('curve@example.org'),
    /^RepositoryRefusal: rpm takes no such key: .* is of the kind nistp256/,
  );
  await assert.rejects(
    publish('pass@example.org'),
    /^RepositoryRefusal: \S+ has a passphrase, and nobody can be asked/,
  );
});

test('P1: a package is described by itself, however short its path', async (t) => {
  const work = await temporary(t);
  const made = await makePackage('deb', work, { name: 'tool', version: '1-1' });
  const short = await mkdtemp(join(tmpdir(), 'p'));
  t.after(() => rm(short, { recursive: true, force: true }));
  for (const name of ['a.deb', 'b.deb']) await copyFile(made, join(short, name));
  await symlink('a.deb', join(short, 'c.deb'));
  const files = ['a.deb', 'b.deb', 'c.deb'].map((name) => join(short, name));
  const found = await repositoryFormats.deb.describe(files);
  assert.deepEqual(
    found.map((one) => one?.id.name),
    ['tool', 'tool', 'tool'],
  );
});
