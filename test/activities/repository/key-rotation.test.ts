import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { must, run } from '../../../activities/process/run.ts';
import { checkSignatures } from '../../../activities/repository/check-signatures.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import type { RepositoryFormat } from '../../../activities/repository/port.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { openArchiveKeys } from '../../../activities/sign/archive-keys.ts';
import { createArchiveSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, exportPublicKey } from '../../../activities/sign/key.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import { makePackage, temporary } from './packages.ts';

const [old, next] = ['Old archive <old@example.org>', 'Next archive <next@example.org>'];

/** What `release.keys` says one after the other, and whether a client that has only one key goes on. */
const steps = [
  { sign: [old], former: [], believedBy: { old: true, next: false } },
  { sign: [next, old], former: [], believedBy: { old: true, next: true } },
  { sign: [next], former: [old], believedBy: { old: false, next: true } },
];

async function rotation(t: Parameters<typeof temporary>[0], format: PackageFormat) {
  const work = await temporary(t);
  const home = join(work, 'keys');
  await mkdir(home, { mode: 0o700 });
  t.after(() => closeAgent(home));
  for (const uid of [old, next]) {
    const make = ['--batch', '--quiet', '--passphrase', '', '--quick-generate-key', uid, 'rsa3072', 'sign', 'never'];
    await must('gpg', make, { env: { GNUPGHOME: home } });
  }
  for (const [name, key] of Object.entries({ old, next })) {
    await writeFile(join(work, `${name}.asc`), await exportPublicKey({ home, key }));
  }
  const dir = join(work, 'repository');
  const publish = async (nth: number, adapter = repositoryFormats[format]) => {
    const { keys } = await openArchiveKeys(home, steps[nth] ?? { sign: [], former: [] });
    const file = await makePackage(format, work, { name: `alpha${nth}`, version: '1' });
    const signer = createArchiveSigner(keys);
    const settings = format === 'deb' ? { codename: 'bookworm' } : {};
    await publishPackages(adapter, { dir, files: [file], settings, signer, date: new Date() });
  };
  return { work, dir, home, publish };
}

/** An APT of its own, that knows one source. */
async function aptOf(root: string, source: string) {
  for (const directory of ['etc/apt', 'var/lib/apt/lists/partial', 'var/cache/apt/archives/partial']) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'etc/apt/sources.list'), source);
  const settings = [`Dir=${root}`, `Dir::State::status=${root}/status`, 'APT::Update::Error-Mode=any'];
  const options = [...settings, 'APT::Sandbox::User=root', 'APT::Architecture=amd64'].flatMap((one) => ['-o', one]);
  return (...args: readonly string[]) => run('apt-get', [...options, ...args]);
}

test('APT goes on with either key while both sign, and with the new one after that', async (t) => {
  const { work, dir, publish } = await rotation(t, 'deb');
  const clients = { old: `${work}/old.asc`, next: `${work}/next.asc` };
  const described: string[] = [];
  const recording: RepositoryFormat = {
    ...repositoryFormats.deb,
    describe: (files) => {
      described.push(...files);
      return repositoryFormats.deb.describe(files);
    },
  };
  for (const [nth, { believedBy }] of steps.entries()) {
    await publish(nth, recording);
    assert.equal(described.length, nth + 1, 'packages carry no signature: a new key asks for none of them again');
    for (const name of ['old', 'next'] as const) {
      const at = `step ${nth}, the client with the ${name} key`;
      const apt = await aptOf(
        join(work, `apt-${name}`),
        `deb [arch=amd64 signed-by=${clients[name]}] file:${dir} bookworm main\n`,
      );
      const { code, stdout, stderr } = await apt('update');
      assert.equal(code === 0, believedBy[name], `${at}: ${stdout}${stderr}`);
      if (code !== 0) assert.match(stderr, /NO_PUBKEY/, at);
      const { problems } = await checkSignatures(repositoryFormats.deb, dir, clients[name]);
      assert.equal(problems.length === 0, believedBy[name], `${at}: ${JSON.stringify(problems)}`);
    }
    const own = await aptOf(
      join(work, 'apt-own'),
      `deb [arch=amd64 signed-by=${dir}/archive-key.asc] file:${dir} bookworm main\n`,
    );
    const { code, stdout, stderr } = await own('update');
    assert.equal(code, 0, stdout + stderr);
    assert.doesNotMatch(stderr, /^[WE]:/m, 'a client that takes the repository’s own key file');
    assert.deepEqual((await checkSignatures(repositoryFormats.deb, dir)).problems, []);
  }
});

test('dnf installs what either key signed, from the first state to the last', async (t) => {
  const { work, dir, publish } = await rotation(t, 'rpm');
  const [root, repos] = [join(work, 'root'), join(work, 'repos')];
  await mkdir(repos);
  const repo = [
    '[sluice]',
    'name=sluice',
    `baseurl=file://${dir}`,
    'gpgcheck=1',
    'repo_gpgcheck=1',
    'skip_if_unavailable=0',
  ];
  await writeFile(join(repos, 'sluice.repo'), [...repo, `gpgkey=file://${dir}/archive-key.asc`, ''].join('\n'));
  const apart = [`--installroot=${root}`, '--releasever=1', `--setopt=reposdir=${repos}`];
  const cache = [`--setopt=cachedir=${work}/cache`, '--refresh'];
  const dnf = (...args: readonly string[]) => run('dnf', ['--assumeyes', ...apart, ...cache, ...args]);
  const fixed = join(work, 'fixed');
  await mkdir(fixed);
  await writeFile(join(fixed, 'sluice.repo'), [...repo, `gpgkey=file://${work}/old.asc`, ''].join('\n'));
  const withOld = [`--installroot=${work}/root-old`, '--releasever=1', `--setopt=reposdir=${fixed}`];
  const old = (...args: readonly string[]) =>
    run('dnf', ['--assumeyes', ...withOld, `--setopt=cachedir=${work}/cache-old`, '--refresh', ...args]);
  for (const [nth, { believedBy }] of steps.entries()) {
    await publish(nth);
    const { code, stdout, stderr } = await dnf('install', `alpha${nth}`);
    assert.equal(code, 0, `step ${nth}: ${stdout}${stderr}`);
    assert.deepEqual((await checkSignatures(repositoryFormats.rpm, dir)).problems, []);
    assert.equal((await old('makecache')).code === 0, believedBy.old, `step ${nth}: the index, with the old key alone`);
    const refused = await old('install', `alpha${nth}`);
    assert.equal(refused.code === 0, nth === 0, 'a package carries one signature, by the first key');
  }
  await must('rm', ['-rf', root, `${work}/cache`]);
  const { code, stdout, stderr } = await dnf('install', 'alpha0', 'alpha2');
  assert.equal(code, 0, `a new client, and a package that the former key signed: ${stdout}${stderr}`);
  assert.match(await readFile(join(dir, 'archive-key.asc'), 'utf8'), /BEGIN PGP PUBLIC KEY BLOCK/);
});
