import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openBuilderKey, publicPem } from '../../activities/attest/builder-key.ts';
import { writeWholeSync } from '../../activities/files/write.ts';
import { secretsOf } from '../../activities/sign/signing-key/settings.ts';
import { checkout, findProgram } from '../bootstrap/find.ts';
import { findSigner, type UnixUser } from '../bootstrap/signer.ts';
import type { Config } from '../config/load.ts';
import type { DataPaths } from './paths.ts';

/**
 * The right to look into directories that are closed to others, and no other. Programs that ask for their rights before
 * they open a file (GnuPG does) are told of it only without the kernel's usual fix-up for a change of users.
 */
const lookAnywhere = [
  ...['--securebits', '+no_setuid_fixup'],
  ...['--inh-caps', '-all,+dac_read_search', '--ambient-caps', '-all,+dac_read_search'],
];

/**
 * The command line that runs `command` as the signer's user, which can read its keys while nobody else can.
 *
 * Where the checkout or the data lie below a directory that is closed to others, such as root's home, new files are
 * closed to others, or systemd has given credentials, the signer gets the right to read what it looks up, and no more.
 *
 * @returns the command as it is where this process may not change users, or there is no such user
 */
export function asSigner(command: readonly string[], data: string): readonly string[] {
  const user = process.getuid?.() === 0 ? findSigner() : undefined;
  const setpriv = findProgram('setpriv');
  if (user === undefined || setpriv === undefined) return command;
  const identity = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
  const closed = masked() || [checkout, data, process.execPath, ...credentials()].some((path) => !isOpen(path, user));
  const rights = closed ? lookAnywhere : ['--inh-caps', '-all'];
  return [setpriv, ...identity, ...rights, '--', ...command];
}

/**
 * What takes the secrets of the archive's keys out of an environment: whoever is started with it has no such variable.
 *
 * @param sign the keys that sign
 */
export function withoutKeySecrets(sign: Config['release']['keys']['sign']): NodeJS.ProcessEnv {
  const names = sign.flatMap(secretsOf).flatMap((secret) => ('env' in secret ? secret.env : []));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Makes the directories that the signer writes to: its keys are nobody else's, what it shows is everybody's. */
export function prepareSigner(paths: Pick<DataPaths, 'keys' | 'publicKeys' | 'builder'>): void {
  const user = process.getuid?.() === 0 ? findSigner() : undefined;
  const builders = buildersDirectory(paths);
  for (const [path, mode] of [
    [paths.keys, 0o700],
    [paths.publicKeys, 0o755],
    [builders, 0o700],
  ] as const) {
    mkdirSync(path, { recursive: true, mode });
    chmodSync(path, mode);
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  }
  const own = join(builders, 'this-machine.pub');
  writeWholeSync(own, publicPem(openBuilderKey(paths.builder)));
  if (user !== undefined) chownSync(own, user.uid, user.gid);
}

/** The public keys of the workers whose builds the signer takes: it is the signer's, and an operator may add some. */
export function buildersDirectory({ keys }: Pick<DataPaths, 'keys'>): string {
  return join(keys, 'builders');
}

/** Where systemd has put the credentials of our service, which it closes to all but the service's own user. */
function credentials(): readonly string[] {
  const directory = process.env.CREDENTIALS_DIRECTORY;
  return directory !== undefined && existsSync(directory) ? [directory] : [];
}

/** Whether what this process makes is closed to others. */
function masked(): boolean {
  return (process.umask() & 0o055) !== 0;
}

/** Whether `user` can reach `path`: each directory on the way lets it pass. */
function isOpen(path: string, user: UnixUser): boolean {
  for (let at = path; at !== '/'; at = dirname(at)) {
    const { uid, gid, mode } = statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
  }
  return true;
}
