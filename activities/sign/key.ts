import { chmod, mkdir, stat } from 'node:fs/promises';
import { exists } from '../files/exists.ts';
import { must, run } from '../process/run.ts';

/** A secret key in a GnuPG directory. Without `home` it is the user's own directory. */
export interface GpgKey {
  readonly home?: string;
  /** Fingerprint, or any name that GnuPG finds one key by. */
  readonly key: string;
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
  const found = await findKey(home);
  if (found !== null) return found;
  const args = ['--batch', '--passphrase', '', '--quick-generate-key', name, algorithm, 'sign', 'never'];
  await must('gpg', args, { env: { GNUPGHOME: home } });
  const made = await findKey(home);
  if (made === null) throw new Error(`gpg made no key in ${home}`);
  return made;
}

export async function exportPublicKey(key: GpgKey): Promise<string> {
  const args = ['--batch', '--armor', '--export', '--', key.key];
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

/** The fingerprint of the first secret key in a directory; null where there is none, or no directory. */
export async function findKey(home: string): Promise<string | null> {
  if (!(await exists(home))) return null;
  const { stdout } = await must('gpg', ['--batch', '--with-colons', '--list-secret-keys'], {
    env: { GNUPGHOME: home },
  });
  return /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? null;
}

async function closeToOthers(home: string): Promise<void> {
  const { mode } = await stat(home);
  if ((mode & 0o077) !== 0) await chmod(home, 0o700);
}
