import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { must } from '../../../activities/process/run.ts';
import { closeAgent } from '../../../activities/sign/key.ts';

const module = '/usr/lib/softhsm/libsofthsm2.so';

/** A GnuPG directory with one key. */
export async function gnupgHome(
  t: TestContext,
  home: string,
  { passphrase = '', uid = 'Home <home@example.org>', expires = 'never' } = {},
) {
  await mkdir(home, { recursive: true, mode: 0o700 });
  t.after(() => closeAgent(home));
  const make = ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', passphrase];
  await must('gpg', [...make, '--quick-generate-key', uid, 'ed25519', 'sign', expires], { env: { GNUPGHOME: home } });
  // What it signs with next has to ask for the passphrase.
  await closeAgent(home);
  return { home, fingerprint: await fingerprintIn(home) };
}

async function fingerprintIn(home: string): Promise<string> {
  const { stdout } = await must('gpg', ['--batch', '--with-colons', '--list-keys'], { env: { GNUPGHOME: home } });
  return /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? '';
}

/**
 * A smart card as GnuPG sees one: a token of SoftHSM, which gnupg-pkcs11-scd shows in the place of scdaemon. It lives in
 * files, does not lock after wrong PINs, and waits for ever where it is not there.
 */
export async function makeCard(t: TestContext, work: string) {
  const [home, tokens, conf, log] = ['card', 'tokens', 'softhsm.conf', 'scd.log'].map((name) => join(work, name)) as [
    string,
    string,
    string,
    string,
  ];
  await mkdir(home, { mode: 0o700 });
  await mkdir(tokens);
  t.after(() => closeAgent(home));
  await writeFile(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`);
  const pin = '123456';
  await fillToken(work, { SOFTHSM2_CONF: conf }, pin);
  const daemon = join(work, 'scd');
  await writeFile(daemon, `#!/bin/sh\nSOFTHSM2_CONF=${conf} exec gnupg-pkcs11-scd "$@"\n`);
  await chmod(daemon, 0o755);
  await writeFile(join(home, 'gpg-agent.conf'), `scdaemon-program ${daemon}\n`);
  await writeFile(
    join(home, 'gnupg-pkcs11-scd.conf'),
    `providers p1\nprovider-p1-library ${module}\nlog-file ${log}\n`,
  );
  const fingerprint = await useCardKey(home, join(work, 'pin'), pin);
  return {
    ...{ home, fingerprint, pin },
    pull: async () => {
      await rename(tokens, `${tokens}.away`);
      await closeAgent(home);
      await mkdir(tokens);
    },
    insert: async () => {
      await rm(tokens, { recursive: true });
      await rename(`${tokens}.away`, tokens);
      await closeAgent(home);
    },
    /** How often it was given a PIN. */
    given: async () => (await readFile(log, 'utf8')).match(/<- \[ 44 20/g)?.length ?? 0,
  };
}

async function fillToken(work: string, env: Readonly<Record<string, string>>, pin: string): Promise<void> {
  const [key, certificate] = [join(work, 'key.pem'), join(work, 'certificate.pem')];
  const make = ['req', '-x509', '-newkey', 'rsa:3072', '-nodes', '-subj', '/CN=archive', '-days', '9'];
  await must('openssl', [...make, '-keyout', key, '-out', certificate]);
  await must('openssl', ['x509', '-in', certificate, '-outform', 'der', '-out', `${certificate}.der`]);
  const pins = ['--so-pin', '12345678', '--pin', pin];
  await must('softhsm2-util', ['--init-token', '--free', '--label', 'archive', ...pins], { env });
  const import_ = ['--import', key, '--token', 'archive', '--label', 'archive', '--id', '01', '--pin', pin];
  await must('softhsm2-util', import_, { env });
  const login = ['--module', module, '--login', '--pin', pin, '--token-label', 'archive'];
  const write = ['--write-object', `${certificate}.der`, '--type', 'cert', '--id', '01', '--label', 'archive'];
  await must('pkcs11-tool', [...login, ...write], { env });
}

/** Makes an OpenPGP key of what is on the card: the directory keeps a stub. */
async function useCardKey(home: string, pinFile: string, pin: string): Promise<string> {
  const env = { GNUPGHOME: home };
  await must('gpg-connect-agent', ['LEARN --sendinfo', '/bye'], { env });
  const [grip = ''] = await readdir(join(home, 'private-keys-v1.d'));
  const about = ['Key-Type: RSA', `Key-Grip: ${grip.replace('.key', '')}`, 'Key-Usage: sign', 'Expire-Date: 0'];
  const input = ['%no-protection', ...about, 'Name-Real: Card', 'Name-Email: card@example.org', '%commit', ''].join(
    '\n',
  );
  await writeFile(pinFile, `${pin}\n`);
  const asked = ['--batch', '--pinentry-mode', 'loopback', '--passphrase-file', pinFile, '--gen-key'];
  await must('gpg', asked, { env, input });
  await closeAgent(home);
  return fingerprintIn(home);
}

/** A program that signs with the key of a GnuPG directory, as a bridge to a signer elsewhere would. */
export async function makeProgram(path: string, home: string, more = ''): Promise<readonly string[]> {
  const script = `#!/bin/sh
# Its own first argument, how, and the key.
${more}
exec gpg --homedir '${home}' --batch --armor --digest-algo SHA512 --local-user "$3" "--$2"
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return [path, 'bridge.example.org'];
}
