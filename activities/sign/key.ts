import { chmod, mkdir, stat } from 'node:fs/promises';
import { must, ProcessError, run } from '../process/run.ts';
import { RepositoryRefusal } from '../repository/port.ts';

/** A secret key in a GnuPG directory. Without `home` it is the user's own directory. */
export interface GpgKey {
  readonly home?: string;
  /** Fingerprint, or any name that GnuPG finds one key by. */
  readonly key: string;
  /** Fingerprints of others that sign texts, too. */
  readonly also?: readonly string[];
  /** Fingerprints of those that have signed in the past, and are shown beside. */
  readonly former?: readonly string[];
}

/** All of which clients are to have the public half. */
export function shownKeys({ key, also = [], former = [] }: GpgKey): readonly string[] {
  return [key, ...also, ...former];
}

/**
 * Opens the signer's directory, and makes its key when there is none.
 *
 * @param home made with mode 0700; an existing directory that others may enter is closed to them.
 * @returns the key's fingerprint.
 */
export async function openKey(home: string, name: string, algorithm = 'rsa3072'): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await closeToOthers(home);
  const found = await fingerprint(home);
  if (found !== null) return found;
  const args = ['--batch', '--passphrase', '', '--quick-generate-key', name, algorithm, 'sign', 'never'];
  await must('gpg', args, { env: { GNUPGHOME: home } });
  const made = await fingerprint(home);
  if (made === null) throw new Error(`gpg made no key in ${home}`);
  return made;
}

export async function exportPublicKey(key: GpgKey): Promise<string> {
  const args = ['--batch', '--armor', '--export', '--', ...shownKeys(key)];
  const { stdout } = await must('gpg', args, { env: environment(key) });
  if (stdout === '') throw new Error(`there is no key ${key.key}`);
  return stdout;
}

/** Ends the agent of a directory, which otherwise outlives the process that used it. */
export async function closeAgent(home: string): Promise<void> {
  await run('gpgconf', ['--kill', 'all'], { env: { GNUPGHOME: home } });
}

/** The environment in which GnuPG finds the key. */
export function environment({ home }: GpgKey): Record<string, string> {
  const directory = home ?? process.env.GNUPGHOME;
  return directory === undefined ? {} : { GNUPGHOME: directory };
}

async function fingerprint(home: string): Promise<string | null> {
  const { stdout } = await must('gpg', ['--batch', '--with-colons', '--list-secret-keys'], {
    env: { GNUPGHOME: home },
  });
  return /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? null;
}

async function closeToOthers(home: string): Promise<void> {
  const { mode } = await stat(home);
  if ((mode & 0o077) !== 0) await chmod(home, 0o700);
}

/** What GnuPG says where it would have to ask for a passphrase. */
const unasked = /Inappropriate ioctl|[Pp]inentry|No passphrase given|Operation cancelled/;

/**
 * Has a program sign, which asks nobody.
 *
 * @throws RepositoryRefusal for a key whose passphrase GnuPG's agent does not know.
 */
export async function signing<T>(key: GpgKey, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProcessError) || !unasked.test(error.result.stderr)) throw error;
    throw new RepositoryRefusal(
      `${key.key} has a passphrase, and nobody can be asked for it here: have GnuPG's agent know it first, as by signing anything in a terminal (gpg --local-user ${key.key} --clear-sign FILE)`,
    );
  }
}
